/** Says in words what is wrong with an answer. */
export class ResponseFault extends Error {}
