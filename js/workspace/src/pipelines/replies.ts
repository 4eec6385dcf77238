import { isActive, type Pipeline, type StoredEvent, type Update } from "./store.js";

/** A pipeline as `GET /pipelines/{id}` tells it. */
export function pipelineReply(pipeline: Pipeline, updates: Update[]): object {
  const { id, spec, creator, modified } = pipeline;
  return {
    ...pipelineSummary(pipeline, updates),
    run_as_user_name: creator,
    last_modified: modified,
    spec: { id, ...spec.sent },
    effective_publishing_mode: "DEFAULT_PUBLISHING_MODE",
  };
}

/** A pipeline as the list tells it, with its latest updates. */
export function pipelineSummary({ id, spec, creator }: Pipeline, updates: Update[]): object {
  const latest = updates.map((update) => ({ update_id: update.id, state: update.state, creation_time: new Date(update.created).toISOString() }));
  return { pipeline_id: id, name: spec.name, state: stateOf(updates[0]), creator_user_name: creator, ...(latest.length > 0 && { latest_updates: latest }) };
}

function stateOf(latest: Update | undefined): string {
  if (!latest) return "IDLE";
  if (latest.state === "STOPPING") return "STOPPING";
  if (isActive(latest.state)) return "RUNNING";
  return latest.state === "FAILED" ? "FAILED" : "IDLE";
}

export function updateReply({ id, pipeline, state, asked, cause, created }: Update, spec: Pipeline["spec"]): object {
  return { pipeline_id: pipeline, update_id: id, state, cause, creation_time: created, config: { id: pipeline, ...spec.sent }, full_refresh: false, validate_only: false, ...asked };
}

/** An event as the event log tells it. */
export function eventReply(event: StoredEvent, pipelineName: string): object {
  const { number, id, pipeline, time, type, level, message, update, dataset, error, details } = event;
  const origin = {
    pipeline_id: pipeline,
    pipeline_name: pipelineName,
    ...(update !== undefined && { update_id: update }),
    ...(dataset !== undefined && { dataset_name: dataset, flow_name: dataset }),
  };
  return {
    id,
    sequence: { control_plane_seq_no: number },
    origin,
    timestamp: new Date(time).toISOString(),
    message,
    level,
    event_type: type,
    maturity_level: "STABLE",
    ...(error !== undefined && { error: { fatal: true, exceptions: [{ message: error }] } }),
    ...(details !== undefined && { details }),
  };
}
