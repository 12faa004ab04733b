import type { Sink } from '@spanprism/core';
import { basic, presetSink, scheme, tracesBelow } from './vendor.ts';
import type { PresetOptions, Vendor } from './vendor.ts';

export interface MlflowOptions extends PresetOptions {
  /** A tracking server 3.6 or later with an SQL store; `MLFLOW_TRACKING_URI` unless given. */
  readonly trackingUri?: string;
  /** `MLFLOW_EXPERIMENT_ID` or `0`, the default experiment, unless given. */
  readonly experimentId?: string;
  /** `MLFLOW_TRACKING_TOKEN` unless given. */
  readonly token?: string;
  /** `MLFLOW_TRACKING_USERNAME` and `MLFLOW_TRACKING_PASSWORD` unless given. */
  readonly username?: string;
  readonly password?: string;
}

const MLFLOW: Vendor<'trackingUri' | 'experimentId' | 'token' | 'username' | 'password'> = {
  name: 'mlflow',
  settings: {
    trackingUri: {
      for: 'url',
      env: ['MLFLOW_TRACKING_URI'],
      isUrl: true,
      need: 'Give the URL of the tracking server, e.g. http://localhost:5000.',
      mistakes: [[/^(databricks|sqlite|file|uc)\b/, 'no server that takes OTLP']],
    },
    experimentId: {
      for: 'headers',
      env: ['MLFLOW_EXPERIMENT_ID'],
      fallback: '0',
      mistakes: [[/\D/, 'no id, which is a number: a name is not enough']],
    },
    token: { for: 'headers', env: ['MLFLOW_TRACKING_TOKEN'] },
    username: { for: 'headers', env: ['MLFLOW_TRACKING_USERNAME'] },
    password: { for: 'headers', env: ['MLFLOW_TRACKING_PASSWORD'] },
  },
  url: ({ trackingUri }) => tracesBelow(trackingUri),
  headers: ({ experimentId, token, username, password }) => ({
    'x-mlflow-experiment-id': experimentId,
    authorization: scheme('Bearer', token) ?? (username === undefined ? undefined : basic(username, password)),
  }),
  refused: 'Check MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.',
};

/** An MLflow tracking server. */
export function mlflow(options: MlflowOptions = {}): Sink {
  return presetSink(MLFLOW, options);
}
