/**
 * Describes the fault of a response.
 *
 * `damaged`: the bytes are truncated or damaged, and another call can succeed. `unusable`: the response is complete but has
 * another shape, and another call would return the same shape.
 */
export class ResponseFault extends Error {
  readonly kind: 'damaged' | 'unusable';

  constructor(message: string, kind: 'damaged' | 'unusable' = 'damaged') {
    super(message);
    this.kind = kind;
  }
}

/** Describes a response whose first bytes show that it is no JSON object. */
export class ForeignStart extends ResponseFault {
  constructor() {
    super('it is not a JSON object', 'unusable');
  }
}
