import { editsRoute } from './edits-route.ts';
import { filesRoutes } from './files-routes.ts';
import { generationsRoute } from './generations-route.ts';
import { modelsRoutes } from './models-route.ts';
import { variationsRoute } from './variations-route.ts';

/** Routes of the OpenAI-compatible API. The type of each route declares its dependencies. */
export const openAiRoutes = [
  generationsRoute,
  editsRoute,
  modelsRoutes,
  filesRoutes,
  variationsRoute,
] as const;
