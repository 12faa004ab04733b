/** Tags of the user, which core keeps as the JSON of a list; undefined when they are something else. */
export function tagList(tags: unknown): readonly string[] | undefined {
  if (typeof tags !== 'string') return undefined;
  try {
    const list: unknown = JSON.parse(tags);
    return Array.isArray(list) && list.every((tag) => typeof tag === 'string') ? list : undefined;
  } catch {
    return undefined;
  }
}
