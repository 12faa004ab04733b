const IDENTITY =
  /^(uuid|session_id|user_message_uuid|run_id|task_id|agent_id|timestamp|cwd|transcript_path|memory_paths|output_file)$/;
const TIME = /(_ms|_seconds|Ms|duration|_time|_at)$/;

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** A copy without what differs from run to run: ids that the CLI mints, times and lengths of time, temporary folders. */
export function masked(value: unknown, name = ''): unknown {
  if (IDENTITY.test(name) || TIME.test(name)) return `<${name}>`;
  if (typeof value === 'string') return maskedText(value);
  if (Array.isArray(value)) return value.map((item) => masked(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item, key)]));
}

function maskedText(text: string): string {
  const withoutPlaces = text.replaceAll(/\/tmp\/[\w./-]+/g, '<folder>').replaceAll(/127\.0\.0\.1:\d+/g, '<api>');
  return withoutPlaces.replaceAll(UUID, '<uuid>');
}
