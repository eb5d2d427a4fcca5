/**
 * Describes what is wrong with a response.
 *
 * `damaged`: truncated or damaged bytes, which another call can cure. `unusable`: a complete response of another shape,
 * which another call would bring again.
 */
export class ResponseFault extends Error {
  readonly kind: 'damaged' | 'unusable';

  constructor(message: string, kind: 'damaged' | 'unusable' = 'damaged') {
    super(message);
    this.kind = kind;
  }
}

/** Describes a response that is no JSON object from its first byte on. */
export class ForeignStart extends ResponseFault {
  constructor() {
    super('it is not a JSON object', 'unusable');
  }
}
