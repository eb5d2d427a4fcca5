import type { FastifyInstance } from 'fastify';
import type { Presets } from '../../../domain/preset.ts';
import { json, problems } from '../responses.ts';

interface Deps {
  readonly presets: Presets;
}

/** `GET /presets`: the named templates and their variables. */
export function listPresetsRoute(app: FastifyInstance, { presets }: Deps): void {
  app.route({
    method: 'GET',
    url: '/presets',
    config: { scope: 'images:read' },
    schema: {
      operationId: 'listPresets',
      summary: 'List the presets',
      description: 'Named templates with their variables and defaults.',
      tags: ['catalogue'],
      response: { 200: json('The presets', 'PresetList'), ...problems({}) },
    },
    handler: async () => ({
      object: 'list',
      data: presets.all.map((preset) => ({
        object: 'preset',
        name: preset.name,
        description: preset.description,
        template: preset.template,
        variables: Object.fromEntries(
          Object.entries(preset.variables).map(([name, variable]) => [
            name,
            {
              description: variable.description,
              default: variable.default ?? null,
              one_of: variable.one_of ?? null,
              max_length: variable.max_length ?? null,
            },
          ]),
        ),
        requires_images: preset.requires_images ?? 0,
        defaults: preset.defaults,
      })),
    }),
  });
}
