type Member = (...parameters: unknown[]) => unknown;

/** What core marks a watched function with, so that it is watched once however often it is wrapped. */
export const WRAPPED: unique symbol = Symbol.for('spanprism.wrapped');

/** The members of the SDK that `wrapSdk` watches. */
export const WATCHED: readonly string[] = ['query', 'startup', 'prewarm', 'createSdkMcpServer'];

/**
 * A copy of a namespace whose watched members ask for their watched selves when they are first called, and not when the SDK is loaded:
 * `watch` answers the namespace as a tracing wraps it, or undefined when there is none.
 */
export function wrapLate(sdk: object, watch: (member: string) => object | undefined): object {
  const late: Record<string, unknown> = { ...sdk };
  for (const name of WATCHED) {
    const member: unknown = Reflect.get(sdk, name);
    if (typeof member === 'function' && Reflect.get(member, WRAPPED) !== true) {
      late[name] = lateMember(member as Member, () => {
        const watched = watch(name);
        return watched === undefined ? undefined : (Reflect.get(watched, name) as Member);
      });
    }
  }
  return late;
}

function lateMember(member: Member, watched: () => Member | undefined): Member {
  return new Proxy(member, {
    apply: (target, self, parameters) => Reflect.apply(watched() ?? target, self, parameters),
    get: (target, name) => (name === WRAPPED ? true : Reflect.get(target, name)),
  });
}
