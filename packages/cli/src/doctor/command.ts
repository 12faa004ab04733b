import type { Command } from '../command.ts';
import { jsonDocument } from '../reports/document.ts';
import { refuseArguments } from '../reports/filter-options.ts';
import { screenOf } from '../reports/screen.ts';
import { sinkOptions } from '../sinks/options.ts';

const { 'otlp-endpoint': endpoint, 'logfire-token': token, store } = sinkOptions;

export const command: Command = {
  name: 'doctor',
  summary: 'Send a canary to every sink, and say what is wrong with the set-up',
  usage: ['spanprism doctor [options]', 'spanprism doctor --json'],
  options: {
    'otlp-endpoint': endpoint!,
    'logfire-token': token!,
    store: store!,
    json: { type: 'boolean', description: 'One JSON document instead of lines' },
  },
  notes: [
    'Each line that begins with ✗ has a code, what is wrong, where, and what to do; the exit code is 1 if there is one. Keys and tokens are never shown.',
  ],
  run: async ({ values, positionals }, io) => {
    refuseArguments('doctor', positionals);
    // Help and wrong usage need none of it.
    const { examine } = await import('./examine.ts');
    const { rowsDocument, rowsText } = await import('./report.ts');
    const rows = await examine({ env: io.env, cwd: io.cwd, flags: values });
    const { hasColor } = screenOf(io);
    io.stdout.write(values['json'] === true ? jsonDocument(rowsDocument(rows)) : rowsText(rows, hasColor));
    return rows.some(({ status }) => status === 'problem') ? 1 : 0;
  },
};
