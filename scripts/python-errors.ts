import { errorCodes, errorRow } from '../src/domain/errors.ts';

/** Returns the name of the exception of a code. */
export function exceptionName(code: string): string {
  return code.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** Returns the module of the Python client with one exception for each error code. */
export function pythonErrors(): string {
  const classes = errorCodes.map(
    (code) => `class ${exceptionName(code)}(ServiceError):\n    """${errorRow(code).title}."""\n`,
  );
  const names = errorCodes.map((code) => `    "${exceptionName(code)}",`);
  const rows = errorCodes.map((code) => `    "${code}": ${exceptionName(code)},`);
  return `"""One exception for each error code. Written by \`npm run docs\` from the table of errors."""

from __future__ import annotations

from typing import Dict, Type

from .errors import ServiceError

__all__ = [
${names.join('\n')}
]


${classes.join('\n\n')}

BY_CODE: Dict[str, Type[ServiceError]] = {
${rows.join('\n')}
}
`;
}
