import { type Fields, fieldsOf } from '../sources/sdk/guards.ts';

/** The in-process servers among a query's options, as `createSdkMcpServer` returned them. */
export function serversOf(options: Fields | undefined): ReadonlySet<unknown> {
  const servers: Set<unknown> = new Set();
  for (const server of Object.values(fieldsOf(options?.['mcpServers']) ?? {})) {
    const instance = fieldsOf(server)?.['instance'];
    if (instance !== undefined) servers.add(instance);
  }
  return servers;
}
