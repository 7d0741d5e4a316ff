/// Section `paths` of the OpenAPI document: one entry for each row of `ControlRoutes`.
let openAPIPaths = #"""
    {
      "/v1/vsi": {
        "get": {
          "summary": "Layer-2 domains",
          "parameters": [
            {"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/vsi"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/VSIRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/vni": {
        "get": {
          "summary": "VSIs that have a VNI; name is a VNI or a VSI",
          "parameters": [
            {"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/vsi"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/VSIRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/peer": {
        "get": {
          "summary": "Remote VTEPs",
          "parameters": [
            {"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/peer"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/PeerRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/port": {
        "get": {
          "summary": "Access ports and native ports",
          "parameters": [
            {"$ref": "#/components/parameters/name"}, {"$ref": "#/components/parameters/port"},
            {"$ref": "#/components/parameters/vsi"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/PortRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/fdb": {
        "get": {
          "summary": "MAC addresses and where they are",
          "parameters": [
            {"$ref": "#/components/parameters/vsi"}, {"$ref": "#/components/parameters/port"},
            {"$ref": "#/components/parameters/peer"}, {"$ref": "#/components/parameters/mac"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/FDBEntryRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        },
        "post": {
          "summary": "Add a static entry",
          "requestBody": {
            "required": true,
            "content": {
              "application/json": {"schema": {"$ref": "#/components/schemas/NewFDBEntry"}}
            }
          },
          "responses": {
            "200": {"$ref": "#/components/responses/Outcome"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        },
        "delete": {
          "summary": "Remove dynamic entries, with static=true static ones too",
          "parameters": [
            {"$ref": "#/components/parameters/vsi"}, {"$ref": "#/components/parameters/port"},
            {"$ref": "#/components/parameters/peer"}, {"$ref": "#/components/parameters/mac"},
            {"$ref": "#/components/parameters/static"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/Outcome"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/fdb/{vsi}/{mac}": {
        "delete": {
          "summary": "Delete an entry",
          "parameters": [
            {"name": "vsi", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "mac", "in": "path", "required": true, "schema": {"type": "string"}}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/Outcome"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/arp": {
        "get": {
          "summary": "IPv4 neighbors",
          "parameters": [
            {"$ref": "#/components/parameters/vsi"},
            {"$ref": "#/components/parameters/interface"},
            {"$ref": "#/components/parameters/vrf"}, {"$ref": "#/components/parameters/port"},
            {"$ref": "#/components/parameters/peer"}, {"$ref": "#/components/parameters/mac"},
            {"$ref": "#/components/parameters/address"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/ARPEntryRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        },
        "post": {
          "summary": "Add a static neighbor",
          "requestBody": {
            "required": true,
            "content": {
              "application/json": {"schema": {"$ref": "#/components/schemas/NewARPEntry"}}
            }
          },
          "responses": {
            "200": {"$ref": "#/components/responses/Outcome"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        },
        "delete": {
          "summary": "Remove dynamic neighbors",
          "parameters": [
            {"$ref": "#/components/parameters/vsi"},
            {"$ref": "#/components/parameters/interface"},
            {"$ref": "#/components/parameters/vrf"}, {"$ref": "#/components/parameters/port"},
            {"$ref": "#/components/parameters/peer"}, {"$ref": "#/components/parameters/mac"},
            {"$ref": "#/components/parameters/address"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/Outcome"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/arp/{interface}/{address}": {
        "delete": {
          "summary": "Delete a neighbor",
          "parameters": [
            {"name": "interface", "in": "path", "required": true, "schema": {"type": "string"}},
            {"name": "address", "in": "path", "required": true, "schema": {"type": "string"}}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/Outcome"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/route": {
        "get": {
          "summary": "Routing tables",
          "parameters": [
            {"$ref": "#/components/parameters/interface"},
            {"$ref": "#/components/parameters/vrf"}, {"$ref": "#/components/parameters/address"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/RouteRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/policy": {
        "get": {
          "summary": "Policy routes in the order they are tried in",
          "parameters": [
            {"$ref": "#/components/parameters/name"},
            {"$ref": "#/components/parameters/interface"}, {"$ref": "#/components/parameters/vrf"}
          ],
          "responses": {
            "200": {"$ref": "#/components/responses/PolicyRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/counters": {
        "get": {
          "summary": "Packets by stage, totals and events",
          "responses": {
            "200": {"$ref": "#/components/responses/Counters"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        },
        "delete": {
          "summary": "Set every counter back to zero",
          "responses": {
            "200": {"$ref": "#/components/responses/Outcome"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/drops": {
        "get": {
          "summary": "Every drop reason, zeros included",
          "parameters": [{"$ref": "#/components/parameters/name"}],
          "responses": {
            "200": {"$ref": "#/components/responses/DropRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/events": {
        "get": {
          "summary": "What is counted beside packets and drops",
          "parameters": [{"$ref": "#/components/parameters/name"}],
          "responses": {
            "200": {"$ref": "#/components/responses/EventRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/runtime": {
        "get": {
          "summary": "The counters of each worker and its load",
          "responses": {
            "200": {"$ref": "#/components/responses/Runtime"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/config": {
        "get": {
          "summary": "The text of the running configuration",
          "responses": {
            "200": {"$ref": "#/components/responses/Configuration"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        },
        "put": {
          "summary": "Apply a whole new configuration, as one change or not at all",
          "parameters": [{"$ref": "#/components/parameters/file"}],
          "requestBody": {
            "required": true, "content": {"application/yaml": {"schema": {"type": "string"}}}
          },
          "responses": {
            "200": {"$ref": "#/components/responses/Changes"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/ping": {
        "post": {
          "summary": "Ping an address from a VSI-interface, through the dataplane",
          "requestBody": {
            "required": true,
            "content": {
              "application/json": {"schema": {"$ref": "#/components/schemas/PingRequest"}}
            }
          },
          "responses": {
            "200": {"$ref": "#/components/responses/PingRows"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/version": {
        "get": {
          "summary": "Version, name and age of the gateway",
          "responses": {
            "200": {"$ref": "#/components/responses/Version"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/v1/openapi.json": {
        "get": {
          "summary": "This document",
          "responses": {
            "200": {"$ref": "#/components/responses/OpenAPI"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/metrics": {
        "get": {
          "summary": "The counters as OpenMetrics text",
          "responses": {
            "200": {"$ref": "#/components/responses/Metrics"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/healthz": {
        "get": {
          "summary": "The daemon is alive",
          "responses": {
            "200": {"$ref": "#/components/responses/Word"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      },
      "/readyz": {
        "get": {
          "summary": "The gateway answers",
          "responses": {
            "200": {"$ref": "#/components/responses/Word"},
            "default": {"$ref": "#/components/responses/Error"}
          }
        }
      }
    }
    """#
