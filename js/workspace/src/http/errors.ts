/** An error that is told to the client as it is. Anything else that is thrown becomes a 500 without its message. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds until another try makes sense; sent as `Retry-After`. */
  readonly retryAfter: number | undefined;

  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /** The body that every Databricks REST API answers errors with. */
  body(requestId: string): object {
    const details: object[] = [
      { "@type": "type.googleapis.com/google.rpc.RequestInfo", request_id: requestId, serving_data: "" },
    ];
    if (this.retryAfter !== undefined) {
      details.push({ "@type": "type.googleapis.com/google.rpc.RetryInfo", retry_delay: `${this.retryAfter}s` });
    }
    return { error_code: this.code, message: this.message, details };
  }
}

export const invalid = (message: string) => new ApiError(400, "INVALID_PARAMETER_VALUE", message);
export const missing = (message: string) => new ApiError(404, "RESOURCE_DOES_NOT_EXIST", message);
export const exists = (message: string) => new ApiError(409, "RESOURCE_ALREADY_EXISTS", message);
export const notImplemented = (message: string) => new ApiError(501, "NOT_IMPLEMENTED", message);
export const unavailable = (message: string, retryAfter: number) =>
  new ApiError(503, "TEMPORARILY_UNAVAILABLE", message, retryAfter);
