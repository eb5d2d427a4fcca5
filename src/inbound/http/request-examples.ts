import type { ImageRequestBody } from '../../domain/image-request.ts';
import type { EndpointBody } from '../../domain/webhook-endpoint.ts';

/** Examples of requests in the OpenAPI document. */

export interface Example<Value = unknown> {
  readonly summary: string;
  readonly value: Value;
}

/** Requests without a preset and with each built-in preset. */
export const imageRequestExamples: Record<string, Example<ImageRequestBody>> = {
  plain: {
    summary: 'A prompt, with an order number to find the job by',
    value: {
      prompt: 'A lighthouse in a storm, oil on canvas',
      size: '1536x1024',
      metadata: { order: '4711' },
    },
  },
  avatar: {
    summary: 'A profile image from a preset',
    value: {
      prompt: 'A red fox with round glasses',
      preset: {
        name: 'avatar',
        variables: { style: 'flat vector illustration', palette: 'orange, cream and night blue' },
      },
      metadata: { user: 'u_8123' },
    },
  },
  artwork: {
    summary: 'A wall image, described by a language model first',
    value: {
      prompt: 'An orchard after the first frost',
      preset: { name: 'artwork', variables: { medium: 'gouache on rough paper', mood: 'quiet joy' } },
      enhance: 'auto',
      quality: 'high',
    },
  },
  'ad-creative': {
    summary: 'Three advertising images with a maximum cost and a webhook',
    value: {
      prompt: 'A bottle of cloudy apple juice on wet slate',
      preset: {
        name: 'ad-creative',
        variables: { brand_colors: 'deep green and cream', copy_space: 'left third' },
      },
      n: 3,
      max_cost_micro_usd: 500_000,
      webhook: { url: 'https://example.com/hooks/images', events: ['image.succeeded', 'image.failed'] },
    },
  },
  'game-character': {
    summary: 'A game character on a transparent background, stored for a week',
    value: {
      prompt: 'A starship mechanic in her sixties with a patched yellow overall',
      preset: { name: 'game-character', variables: { role: 'starship mechanic', view: 'front view' } },
      output_format: 'webp',
      retention: { media_s: 604_800 },
    },
  },
  'avatar-from-photo': {
    summary: 'A profile image of the person in a photo, erased after a day',
    value: {
      prompt: 'The same person as a ceramic artist',
      images: [{ url: 'https://example.com/photos/portrait.jpg' }],
      preset: { name: 'avatar-from-photo', variables: { style: 'gouache portrait' } },
      retention: { media_s: 86_400 },
    },
  },
  'product-background': {
    summary: 'A product on another background, with space for a headline',
    value: {
      prompt: 'Early morning at the coast',
      images: [{ url: 'https://example.com/photos/bottle.png' }],
      preset: { name: 'product-background', variables: { copy_space: 'left third' } },
      max_cost_micro_usd: 500_000,
    },
  },
  'character-pose': {
    summary: 'A game character in another pose',
    value: {
      prompt: 'She listens to an engine',
      images: [{ url: 'https://example.com/characters/mechanic.png' }],
      preset: { name: 'character-pose', variables: { pose: 'kneeling' } },
    },
  },
};

/** Requests that register an endpoint. */
export const endpointRequestExamples: Record<string, Example<EndpointBody>> = {
  everything: {
    summary: 'All events',
    value: { url: 'https://example.com/hooks/images' },
  },
  ends: {
    summary: 'Only ends of jobs, with a description',
    value: {
      url: 'https://example.com/hooks/images',
      events: ['image.succeeded', 'image.failed'],
      description: 'Order service',
      metadata: { team: 'shop' },
    },
  },
};
