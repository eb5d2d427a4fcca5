import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { AppError } from '../../domain/errors.ts';
import { errorRow } from '../../domain/errors.ts';
import { describeRefusal } from './present-result.ts';

/** Returns an error of JSON-RPC for a refused request that has no result of a tool. */
export function protocolErrorOf(error: AppError): ProtocolError {
  const { code, message } = error;
  const { retryable } = errorRow(code);
  return new ProtocolError(
    retryable ? ProtocolErrorCode.InternalError : ProtocolErrorCode.InvalidParams,
    describeRefusal(error),
    { code, message, retryable },
  );
}
