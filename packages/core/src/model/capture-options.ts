export type CaptureOptions = 'metadata' | 'full' | object;
