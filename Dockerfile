# syntax=docker/dockerfile:1
# One container image for all roles; ROLES selects the role. Build: docker build -t darkroom .

FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY clients/typescript/package.json ./clients/typescript/
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY clients/typescript ./clients/typescript
COPY console ./console
COPY src ./src
RUN npm run build

FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY clients/typescript/package.json ./clients/typescript/
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-bookworm-slim
LABEL org.opencontainers.image.title="Darkroom" \
      org.opencontainers.image.description="Images from an API: durable jobs, honest costs, one payment per image" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    DATA_DIR=/data
WORKDIR /app
# The service writes only its spool and the file storage. Mount a volume here.
RUN mkdir /data && chown 65532:65532 /data
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json CHANGELOG.md SECURITY.md ./
# The documentation site renders these pages.
COPY docs ./docs
COPY clients/python/README.md ./clients/python/
COPY clients/typescript/README.md ./clients/typescript/
COPY examples/switch/README.md ./examples/switch/
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["node", "dist/health-check.js"]
# Runs node without npm, so that it receives signals. Use docker run --init to reap child processes.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
