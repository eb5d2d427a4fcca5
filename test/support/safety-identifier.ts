/** Form of a safety identifier: a keyed hash in base64url. */
export const safetyIdentifier = /^[\w-]{43}$/;
