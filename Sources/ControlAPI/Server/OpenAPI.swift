import Control

/// What `GET /v1/openapi.json` answers: the API in OpenAPI 3.1. The tests hold it against the
/// routes and the reports, so it cannot fall behind.
let openAPIDocument = """
    {
    "openapi": "3.1.0",
    "info": {
      "title": "vxgate control API",
      "version": "\(Release.version)",
      "description": "What a running vxgate tells and takes, over its Unix socket. A query \
    parameter that a path does not take is refused. Bodies over 4 MiB, nesting over 64 and clients \
    idle for 60 s are refused."
    },
    "servers": [{ "url": "http://localhost" }],
    "paths": \(openAPIPaths),
    "components": \(openAPIComponents)
    }

    """
