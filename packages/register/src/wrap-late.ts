type Member = (...parameters: unknown[]) => unknown;

/** What core asks a function for before it wraps it, in every copy of core. */
export const WRAPPED: unique symbol = Symbol.for('spanprism.wrapped');

/** The members of the SDK that `wrapSdk` watches. */
export const WATCHED: readonly string[] = ['query', 'startup', 'prewarm', 'createSdkMcpServer'];

export interface LateWatch {
  /** The namespace as a tracing wraps it, for a member that is called now; undefined when there is no tracing. */
  watched(member: string): object | undefined;
  /** A tracing of the program's own is about to wrap a member: from now on the members are the SDK's again. */
  claimed(): void;
}

/**
 * A copy of a namespace whose watched members ask for their watched selves when they are called, and not when the SDK is loaded. A
 * tracing of the program's own beats them: asked whether they are wrapped already, they say no and step aside, so that each query is
 * traced once, as the program says.
 */
export function wrapLate(sdk: object, watch: LateWatch): object {
  let isClaimed = false;
  const claim = (): void => {
    if (!isClaimed) watch.claimed();
    isClaimed = true;
  };
  const lateMember = (name: string, member: Member): Member =>
    new Proxy(member, {
      apply: (target, self, parameters) => {
        const watched = isClaimed ? undefined : watch.watched(name);
        return Reflect.apply(watched === undefined ? target : (Reflect.get(watched, name) as Member), self, parameters);
      },
      get: (target, property) => (property === WRAPPED ? claim() : Reflect.get(target, property)),
    });
  const late: Record<string, unknown> = { ...sdk };
  for (const name of WATCHED) {
    const member: unknown = Reflect.get(sdk, name);
    if (typeof member === 'function' && Reflect.get(member, WRAPPED) !== true)
      late[name] = lateMember(name, member as Member);
  }
  return late;
}
