/** An error response with the fields of OpenAI's errors. */
export class StudioRefusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, more: RefusalDetails = {}) {
    super(message);
    this.name = 'StudioRefusal';
    this.status = status;
    this.type = more.type ?? (status >= 500 ? 'server_error' : 'invalid_request_error');
    this.code = more.code ?? null;
    this.param = more.param ?? null;
    this.headers = more.headers ?? {};
    this.details = more.details ?? {};
  }
}

type RefusalDetails = {
  type?: string;
  code?: string;
  param?: string;
  headers?: Readonly<Record<string, string>>;
  /** Further members of the error object. */
  details?: Readonly<Record<string, unknown>>;
};

/** Thrown inside a call if its client disconnected or the studio stops. */
export class ClientGone extends Error {
  constructor() {
    super('the client disconnected');
    this.name = 'ClientGone';
  }
}

/** Creates a 400 that names a parameter. */
export const invalid = (param: string, code: string, message: string) =>
  new StudioRefusal(400, message, { param, code });

/** Returns the error object of a refusal. */
export function refusalError({ message, type, param, code, details }: StudioRefusal) {
  return { message, type, param, code, ...details };
}

/** Returns the JSON body of a refusal: `{error: {message, type, param, code}}`. */
export function refusalBody(refusal: StudioRefusal): string {
  return JSON.stringify({ error: refusalError(refusal) });
}
