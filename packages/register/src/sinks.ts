// The choice of sinks for a program that loads their packages itself. Nothing here touches how modules are loaded.
export { type Choice, chooseSinks, type LoadPackage } from './choose-sinks.ts';
export type { Surroundings } from './vendors.ts';
