/** Maximum size of a body: every legal request fits, even if every character of it is escaped. */
export const maxBodyBytes = 768 * 1024;
