import { ApiError } from "../http/errors.js";

/** An error of the OAuth endpoints, in OAuth's shape (RFC 6749, section 5.2), not in Databricks'. */
export class OAuthError extends ApiError {
  override body(): object {
    return { error: this.code, error_description: this.message };
  }
}

export const invalidRequest = (message: string) => new OAuthError(400, "invalid_request", message);
export const invalidGrant = (message: string) => new OAuthError(400, "invalid_grant", message);
