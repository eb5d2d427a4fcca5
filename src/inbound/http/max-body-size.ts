/** Maximum size of a body without inputs. Every valid request fits, even if each of its characters is escaped. */
export const maxBodyBytes = 768 * 1024;
/** Maximum size of the texts of a request with inputs, without the data of images. */
export const maxRequestTextBytes = 2500 * 1024;
/** Maximum size of a JSON body with data of images. */
export const maxDataBodyBytes = 32 * 1024 * 1024;
