import { given } from '../../model/given.ts';
import type { SessionSeen } from '../../model/observation.ts';
import { type Fields, fieldsOf, stringIn } from '../sdk/guards.ts';

/** What the rows of a session say of it; it may change from row to row. */
export class SessionFacts {
  sessionId: string | undefined;
  /** The checked-out branch, where the session's folder is a repository. */
  gitBranch: string | undefined;
  cwd: string | undefined;
  /** The session that the latest answer was copied from, when this one was forked from it. */
  copiedFrom: string | undefined;
  #cliVersion: string | undefined;
  #permissionMode: string | undefined;
  #model: string | undefined;

  read(row: Fields): void {
    this.sessionId = stringIn(row, 'sessionId') ?? this.sessionId;
    this.cwd = stringIn(row, 'cwd') ?? this.cwd;
    if (row['type'] === 'assistant') this.copiedFrom = stringIn(row, 'requestSessionId');
    const branch = stringIn(row, 'gitBranch');
    // Outside of a repository, and where no branch is checked out, there is no name to give.
    if (branch !== undefined) this.gitBranch = branch === '' || branch === 'HEAD' ? undefined : branch;
    this.#cliVersion = stringIn(row, 'version') ?? this.#cliVersion;
    this.#permissionMode = stringIn(row, 'permissionMode') ?? this.#permissionMode;
  }

  /** True when the model is another than before. */
  readModel(attachment: Fields): boolean {
    const model = stringIn(fieldsOf(attachment['identity']), 'modelId');
    if (model === undefined || model === this.#model) return false;
    this.#model = model;
    return true;
  }

  session(): Omit<SessionSeen, 'type' | 'id' | 'source' | 'at' | 'turn'> | undefined {
    if (this.sessionId === undefined) return undefined;
    return {
      sessionId: this.sessionId,
      ...given('requestModel', this.#model),
      ...given('cwd', this.cwd),
      ...given('permissionMode', this.#permissionMode),
      ...given('cliVersion', this.#cliVersion),
    };
  }
}
