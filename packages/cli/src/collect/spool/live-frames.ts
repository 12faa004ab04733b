import type { FrameHead, RequestFrame } from './frames.ts';

/** What of one segment is still needed. */
export interface LiveSegment {
  readonly path: string;
  /** Every owner that a frame in it names, be it to say that the owner is done. */
  readonly names: Set<string>;
  bytes: number;
  /** Frames that are being written to it. */
  writing: number;
  /** By owner: its last frame here, and the bytes of all. */
  readonly owners: Map<string, { last: number; bytes: number }>;
}

/** Of an owner that frames name: they may be written anew, or read after a restart. */
interface Named {
  /** In how many segments that is. */
  segments: number;
  /** Up to which sequence it is done. */
  done: number;
}

/** Of one frame. */
export interface FrameWrite {
  /** It is on disk: whoever owns it needs it from now on. */
  done(): void;
  /** It is not, and nothing of it. */
  failed(): void;
}

/**
 * Which segments are still needed, and by whom. They are given up in the order in which they were written: what an owner has declared
 * done stands behind what it is about, and may not go before.
 */
export class LiveFrames {
  readonly #segments: LiveSegment[] = [];
  readonly #named = new Map<string, Named>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** Of every owner that still needs frames. */
  get owners(): ReadonlySet<string> {
    return new Set(this.#segments.flatMap(({ owners }) => [...owners.keys()]));
  }

  open(path: string): LiveSegment {
    const segment: LiveSegment = { path, names: new Set(), bytes: 0, writing: 0, owners: new Map() };
    this.#segments.push(segment);
    return segment;
  }

  /** A frame is about to be written. */
  begin(segment: LiveSegment, head: FrameHead, bytes: number): FrameWrite {
    this.wrote(segment, bytes);
    this.names(segment, head);
    segment.writing += 1;
    return {
      done: () => {
        segment.writing -= 1;
        if (head.type === 'request') this.needs(segment, head, bytes);
      },
      failed: () => {
        segment.writing -= 1;
        this.wrote(segment, -bytes);
      },
    };
  }

  wrote(segment: LiveSegment, bytes: number): void {
    segment.bytes += bytes;
    this.#bytes += bytes;
  }

  /** A frame stands in a segment, whoever needs it. */
  names(segment: LiveSegment, head: FrameHead): void {
    for (const owner of head.type === 'done' ? [head.owner] : head.owners) {
      if (segment.names.has(owner)) continue;
      segment.names.add(owner);
      this.#nameOf(owner).segments += 1;
    }
  }

  needs(segment: LiveSegment, frame: RequestFrame, bytes: number): void {
    for (const owner of this.pending(frame)) {
      const known = segment.owners.get(owner);
      if (known === undefined) segment.owners.set(owner, { last: frame.sequence, bytes });
      else {
        known.last = Math.max(known.last, frame.sequence);
        known.bytes += bytes;
      }
    }
  }

  done(owner: string, sequence: number): void {
    this.#nameOf(owner).done = sequence;
    for (const { owners } of this.#segments)
      if ((owners.get(owner)?.last ?? Infinity) <= sequence) owners.delete(owner);
  }

  /** The owners of a frame that are not done with it. */
  pending({ owners, sequence }: RequestFrame): readonly string[] {
    return owners.filter((owner) => (this.#named.get(owner)?.done ?? -1) < sequence);
  }

  /** Whether nobody needs anything of the newest segment, though there is something in it. */
  get isNewestUnneeded(): boolean {
    const newest = this.#segments.at(-1);
    return newest !== undefined && newest.bytes > 0 && newest.writing === 0 && newest.owners.size === 0;
  }

  /** Segments that nobody needs, oldest first; never the newest, which is being written. */
  takeUnneeded(): readonly LiveSegment[] {
    const unneeded: LiveSegment[] = [];
    while (this.#segments.length > 1 && this.#segments[0]?.owners.size === 0) unneeded.push(this.dropOldest());
    return unneeded;
  }

  /** The oldest, if writing anew what is needed of it sets more free than it costs. */
  worthRewriting(): LiveSegment | undefined {
    const [oldest, ...later] = this.#segments.slice(0, -1);
    if (oldest === undefined) return undefined;
    let needed = 0;
    for (const { bytes } of oldest.owners.values()) needed += bytes;
    return needed < oldest.bytes / 2 || later.some(({ owners }) => owners.size === 0) ? oldest : undefined;
  }

  dropOldest(): LiveSegment {
    const oldest = this.#segments.shift();
    if (oldest === undefined) throw new Error('there is no segment');
    this.#bytes -= oldest.bytes;
    for (const owner of oldest.names) {
      const named = this.#nameOf(owner);
      named.segments -= 1;
      if (named.segments === 0) this.#named.delete(owner);
    }
    return oldest;
  }

  #nameOf(owner: string): Named {
    const known = this.#named.get(owner);
    if (known !== undefined) return known;
    const named = { segments: 0, done: -1 };
    this.#named.set(owner, named);
    return named;
  }
}
