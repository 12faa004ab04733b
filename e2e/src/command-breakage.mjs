// Loaded into the command before it starts: breaks one thing of its surroundings, as `BREAK` says.
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import threads from 'node:worker_threads';

const BREAKAGES = {
  /** Nothing can listen: a sandbox without sockets. */
  listen() {
    net.Server.prototype.listen = function listen() {
      setImmediate(() => this.emit('error', Object.assign(new Error('listen EPERM'), { code: 'EPERM' })));
      return this;
    };
  },
  /** Every thread dies soon after it was started. */
  threads() {
    threads.Worker = class extends threads.Worker {
      constructor(...args) {
        super(...args);
        setTimeout(() => void this.terminate(), 150);
      }
    };
    syncBuiltinESMExports();
  },
  /** A fault that nobody catches. */
  fault() {
    setTimeout(() => {
      throw new Error('a fault of ours');
    }, 200);
  },
};

if (threads.isMainThread) BREAKAGES[process.env['BREAK']]();
