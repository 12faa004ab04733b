// The entry of the thread that receives: what comes in is read, unpacked and answered here, and taken by the desk in the main thread.
import { parentPort, workerData } from 'node:worker_threads';
import { CommandError } from '../../command.ts';
import { type Doors, openDoors } from './open-doors.ts';
import { RemoteDesk } from './remote-desk.ts';
import type { ThreadStart, ToDesk, ToDoors } from './thread-protocol.ts';

if (parentPort !== null) await run(parentPort, workerData as ThreadStart);

async function run(main: NonNullable<typeof parentPort>, { settings }: ThreadStart): Promise<void> {
  const tell = (message: ToDesk): void => main.postMessage(message);
  const desk = new RemoteDesk({
    bring: (packed) => main.postMessage({ type: 'arrivals', packed } satisfies ToDesk, [packed.bodies.buffer]),
    ask: tell,
  });
  let doors: Doors;
  try {
    doors = await openDoors(
      {
        desk,
        onRefused: (reason) => tell({ type: 'refused', reason }),
        onFault: (error) => tell({ type: 'fault', message: error instanceof Error ? error.message : String(error) }),
      },
      settings,
    );
  } catch (error) {
    const parts = { what: `collect: cannot listen (${String(error)})`, fix: 'try again', exitCode: 1 };
    return tell({ type: 'not-open', why: error instanceof CommandError ? error.parts : parts });
  }
  main.on('message', (message: ToDoors) => {
    if (message.type === 'answers') return desk.answer(message);
    void doors.close(message.deadlineMs).then(() => tell({ type: 'closed' }));
  });
  tell({ type: 'open', httpPort: doors.httpPort, grpcPort: doors.grpcPort });
}
