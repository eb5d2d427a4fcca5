import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/**
 * Content security policy that allows content of this origin only. `blob:` shows images of responses. The policy does not
 * upgrade insecure requests, because the page may be served over plain http.
 */
const pagePolicy = {
  'default-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data: blob:",
  'object-src': "'none'",
  'style-src': "'self' 'unsafe-inline'",
};

/** Hides the bar with the branding of Swagger UI. Its other content, a list of documents, has one entry. */
const pageStyle = `
.swagger-ui .topbar { display: none; }
.swagger-ui .responses-wrapper img { max-width: 100%; }
`;

/** Icon of the page: an aperture in one color. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
<circle cx="16" cy="16" r="15" fill="#b3261e"/><circle cx="16" cy="16" r="6" fill="#fff"/></svg>`;

/** Serves `/docs/api`, a page that shows the API document and sends requests. */
export async function useDocsPage(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs/api',
    staticCSP: pagePolicy,
    // The key would stay in the local storage of the browser, and therefore on a disk.
    uiConfig: { persistAuthorization: false, displayRequestDuration: true, deepLinking: true },
    theme: {
      title: 'Darkroom API',
      css: [{ filename: 'darkroom.css', content: pageStyle }],
      favicon: [
        {
          filename: 'darkroom.svg',
          rel: 'icon',
          type: 'image/svg+xml',
          sizes: 'any',
          content: Buffer.from(icon),
        },
      ],
    },
  });
}
