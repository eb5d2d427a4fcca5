/** Maximum size of a body. Every valid request fits, even if each of its characters is escaped. */
export const maxBodyBytes = 768 * 1024;
