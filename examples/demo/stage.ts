import type { Options } from '@anthropic-ai/claude-agent-sdk';
import { cleanEnvironment, makeProject, startMessagesApi } from '@spanprism/testkit';
import { files, PROMPT, rules } from './script.ts';

/** What an agent is asked, and where it works: a folder of its own that is removed afterwards. */
export interface Stage extends AsyncDisposable {
  readonly story: string;
  readonly prompt: string;
  readonly options: Options;
}

/** The real `claude` in front of a scripted Messages API: nothing leaves this machine. */
export async function scriptedStage(): Promise<Stage> {
  const project = await makeProject(files);
  const api = await startMessagesApi({ rules: rules(project.cwd) });
  return {
    story: 'the real claude, a scripted Messages API',
    prompt: PROMPT,
    options: {
      ...workplace(project.cwd),
      model: 'claude-sonnet-4-5',
      env: cleanEnvironment({ home: project.home, apiUrl: api.url, extra: { TMPDIR: project.home } }),
    },
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await project.remove();
      api.assertAllMatched();
    },
  };
}

/** The real `claude` in front of the real API, with the key of the environment. */
export async function liveStage(prompt: string): Promise<Stage> {
  const project = await makeProject(files);
  return {
    story: 'the real claude, the real API',
    prompt,
    options: {
      ...workplace(project.cwd),
      persistSession: false,
      maxTurns: 20,
      env: { ...process.env, TMPDIR: project.home },
    },
    [Symbol.asyncDispose]: project.remove,
  };
}

function workplace(cwd: string): Options {
  const abortController = new AbortController();
  // The folders are removed when the query has ended, also if that is because somebody pressed Ctrl+C.
  process.once('SIGINT', () => abortController.abort());
  return {
    cwd,
    abortController,
    permissionMode: 'acceptEdits',
    tools: ['Read', 'Edit', 'Write', 'Glob', 'Grep', 'Agent'],
    settingSources: [],
  };
}
