import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { AppError } from '../../domain/errors.ts';
import { errorRow } from '../../domain/errors.ts';
import { describeRefusal, fieldsOfRefusal } from './present-result.ts';

/** Returns an error of JSON-RPC for a refused request that has no result of a tool. */
export function protocolErrorOf(error: AppError): ProtocolError {
  const { retryable } = errorRow(error.code);
  return new ProtocolError(
    retryable ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams,
    describeRefusal(error),
    fieldsOfRefusal(error),
  );
}
