export { treeText } from '../../../core/src/sinks/tree-text.ts';
