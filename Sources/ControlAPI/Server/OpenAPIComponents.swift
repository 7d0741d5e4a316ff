/// Section `components` of the OpenAPI document: the JSON shapes of the contract.
let openAPIComponents = #"""
    {
      "parameters": {
        "name": {"name": "name", "in": "query", "schema": {"type": "string"}},
        "vsi": {"name": "vsi", "in": "query", "schema": {"type": "string"}},
        "port": {"name": "port", "in": "query", "schema": {"type": "string"}},
        "peer": {"name": "peer", "in": "query", "schema": {"type": "string"}},
        "interface": {"name": "interface", "in": "query", "schema": {"type": "string"}},
        "vrf": {"name": "vrf", "in": "query", "schema": {"type": "string"}},
        "mac": {"name": "mac", "in": "query", "schema": {"type": "string"}},
        "address": {"name": "address", "in": "query", "schema": {"type": "string"}},
        "static": {"name": "static", "in": "query", "schema": {"type": "boolean"}},
        "file": {"name": "file", "in": "query", "schema": {"type": "string"}}
      },
      "responses": {
        "Error": {
          "description": "Refused; the first line says why and what to do",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        },
        "VSIRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/VSI"}}
            }
          }
        },
        "PeerRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Peer"}}
            }
          }
        },
        "PortRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Port"}}
            }
          }
        },
        "FDBEntryRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/FDBEntry"}}
            }
          }
        },
        "PingRows": {
          "description": "A row for each echo request",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Ping"}}
            }
          }
        },
        "Outcome": {
          "description": "What was done",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Outcome"}}}
        },
        "ARPEntryRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/ARPEntry"}}
            }
          }
        },
        "RouteRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Route"}}
            }
          }
        },
        "PolicyRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Policy"}}
            }
          }
        },
        "Counters": {
          "description": "One object",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Counters"}}}
        },
        "DropRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Drop"}}
            }
          }
        },
        "EventRows": {
          "description": "A row for each entry",
          "content": {
            "application/json": {
              "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Event"}}
            }
          }
        },
        "Runtime": {
          "description": "One object",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Runtime"}}}
        },
        "Configuration": {
          "description": "The text",
          "content": {"application/yaml": {"schema": {"type": "string"}}}
        },
        "Changes": {
          "description": "What changed, one line each",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Changes"}}}
        },
        "Version": {
          "description": "One object",
          "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Version"}}}
        },
        "OpenAPI": {
          "description": "One object",
          "content": {"application/json": {"schema": {"type": "object"}}}
        },
        "Metrics": {
          "description": "OpenMetrics 1.0",
          "content": {"application/openmetrics-text": {"schema": {"type": "string"}}}
        },
        "Word": {
          "description": "ok or ready", "content": {"text/plain": {"schema": {"type": "string"}}}
        }
      },
      "schemas": {
        "VSI": {
          "type": "object",
          "required": [
            "ageing_seconds", "dev", "dstport", "fdb_entries", "flood_list", "flooded_packets",
            "local", "mtu", "name", "ports", "remote", "rx_packets", "srcport", "state",
            "tx_packets", "udp_checksum", "vni"
          ],
          "properties": {
            "name": {"type": "string"}, "vni": {"type": ["integer", "null"]},
            "fdb_entries": {"type": "integer"}, "rx_packets": {"type": "integer"},
            "tx_packets": {"type": "integer"}, "flooded_packets": {"type": "integer"},
            "ports": {"type": "array", "items": {"type": "string"}},
            "flood_list": {"type": "array", "items": {"type": "string"}},
            "mtu": {"type": ["integer", "null"]}, "ageing_seconds": {"type": "integer"},
            "state": {"type": "string", "enum": ["up", "down"]},
            "local": {"type": ["string", "null"]}, "dev": {"type": ["string", "null"]},
            "remote": {"type": "array", "items": {"type": "string"}},
            "srcport": {"type": "array", "items": {"type": "integer"}},
            "dstport": {"type": ["integer", "null"]},
            "udp_checksum": {"type": ["string", "null"]}
          }
        },
        "Peer": {
          "type": "object",
          "required": [
            "address", "name", "rx_bytes", "rx_packets", "tx_bytes", "tx_packets", "vnis"
          ],
          "properties": {
            "name": {"type": "string"}, "address": {"type": "string"},
            "vnis": {"type": "array", "items": {"type": "integer"}},
            "rx_packets": {"type": "integer"}, "rx_bytes": {"type": "integer"},
            "tx_packets": {"type": "integer"}, "tx_bytes": {"type": "integer"}
          }
        },
        "Port": {
          "type": "object",
          "required": [
            "device", "name", "rx_bytes", "rx_drops", "rx_packets", "state", "tx_bytes",
            "tx_drops", "tx_packets", "type", "vlan", "vsi"
          ],
          "properties": {
            "name": {"type": "string"}, "type": {"type": "string"}, "device": {"type": "string"},
            "vlan": {"type": ["integer", "null"]}, "vsi": {"type": "string"},
            "state": {"type": "string", "enum": ["up", "down"]},
            "rx_packets": {"type": "integer"}, "rx_bytes": {"type": "integer"},
            "tx_packets": {"type": "integer"}, "tx_bytes": {"type": "integer"},
            "rx_drops": {"type": "integer"}, "tx_drops": {"type": "integer"}
          }
        },
        "FDBEntry": {
          "type": "object",
          "required": [
            "address", "age_seconds", "frozen", "kind", "mac", "moves", "peer", "port", "vni", "vsi"
          ],
          "properties": {
            "vsi": {"type": "string"}, "vni": {"type": ["integer", "null"]},
            "mac": {"type": "string"},
            "kind": {"type": "string", "enum": ["dynamic", "static", "own", "flood"]},
            "port": {"type": ["string", "null"]}, "peer": {"type": ["string", "null"]},
            "address": {"type": ["string", "null"]}, "age_seconds": {"type": "integer"},
            "moves": {"type": "integer"}, "frozen": {"type": "boolean"}
          }
        },
        "NewFDBEntry": {
          "type": "object", "required": ["mac", "vsi"],
          "properties": {
            "vsi": {"type": "string"}, "mac": {"type": "string"}, "port": {"type": "string"},
            "peer": {"type": "string"}
          },
          "oneOf": [{"required": ["port"]}, {"required": ["peer"]}]
        },
        "ARPEntry": {
          "type": "object",
          "required": [
            "address", "age_seconds", "frozen", "interface", "kind", "mac", "peer", "port",
            "state", "vrf"
          ],
          "properties": {
            "vrf": {"type": "string"}, "interface": {"type": "string"},
            "address": {"type": "string"}, "mac": {"type": ["string", "null"]},
            "kind": {"type": "string", "enum": ["dynamic", "static", "own"]},
            "state": {"type": "string", "enum": ["reachable", "stale", "incomplete", "failed"]},
            "port": {"type": ["string", "null"]}, "peer": {"type": ["string", "null"]},
            "age_seconds": {"type": "integer"}, "frozen": {"type": "boolean"}
          }
        },
        "NewARPEntry": {
          "type": "object", "required": ["address", "interface", "mac"],
          "properties": {
            "interface": {"type": "string"}, "address": {"type": "string"},
            "mac": {"type": "string"}
          }
        },
        "Route": {
          "type": "object", "required": ["interface", "kind", "onlink", "prefix", "via", "vrf"],
          "properties": {
            "vrf": {"type": "string"}, "prefix": {"type": "string"},
            "kind": {"type": "string", "enum": ["connected", "static", "host", "blackhole"]},
            "via": {"type": ["string", "null"]}, "interface": {"type": ["string", "null"]},
            "onlink": {"type": "boolean"}
          }
        },
        "Policy": {
          "type": "object",
          "required": [
            "destination", "destination_ports", "interface", "name", "next_hop", "order",
            "packets", "protocol", "source"
          ],
          "properties": {
            "name": {"type": "string"}, "order": {"type": "integer"},
            "interface": {"type": ["string", "null"]}, "source": {"type": "string"},
            "destination": {"type": "string"}, "protocol": {"type": ["string", "null"]},
            "destination_ports": {"type": ["string", "null"]},
            "next_hop": {"type": ["string", "null"]}, "packets": {"type": "integer"}
          }
        },
        "Stage": {
          "type": "object",
          "required": [
            "bytes", "clocks_per_packet", "drops", "packets", "packets_per_vector", "stage",
            "vectors"
          ],
          "properties": {
            "stage": {"type": "string"}, "packets": {"type": "integer"},
            "bytes": {"type": "integer"}, "drops": {"type": "integer"},
            "vectors": {"type": "integer"}, "packets_per_vector": {"type": "number"},
            "clocks_per_packet": {"type": "number"}
          }
        },
        "Totals": {
          "type": "object",
          "required": ["consumed", "dropped", "held", "received", "replicated", "transmitted"],
          "properties": {
            "received": {"type": "integer"}, "transmitted": {"type": "integer"},
            "replicated": {"type": "integer"}, "consumed": {"type": "integer"},
            "dropped": {"type": "integer"}, "held": {"type": "integer"}
          }
        },
        "Counters": {
          "type": "object", "required": ["events", "stages", "totals"],
          "properties": {
            "stages": {"type": "array", "items": {"$ref": "#/components/schemas/Stage"}},
            "totals": {"$ref": "#/components/schemas/Totals"},
            "events": {"type": "object", "additionalProperties": {"type": "integer"}}
          }
        },
        "Drop": {
          "type": "object", "required": ["description", "packets", "reason", "stage"],
          "properties": {
            "reason": {"type": "string"}, "stage": {"type": "string"},
            "packets": {"type": "integer"}, "description": {"type": "string"}
          }
        },
        "Event": {
          "type": "object", "required": ["count", "event"],
          "properties": {"event": {"type": "string"}, "count": {"type": "integer"}}
        },
        "Worker": {
          "type": "object",
          "required": [
            "buffers", "buffers_in_use", "busy_share", "completions_per_turn", "counters", "cpu",
            "multishot_rearmed", "submissions_per_turn", "turns", "wakeups", "worker"
          ],
          "properties": {
            "worker": {"type": "integer"}, "cpu": {"type": "integer"},
            "counters": {"$ref": "#/components/schemas/Counters"},
            "busy_share": {"type": "number"}, "turns": {"type": "integer"},
            "wakeups": {"type": "integer"}, "submissions_per_turn": {"type": "number"},
            "completions_per_turn": {"type": "number"}, "multishot_rearmed": {"type": "integer"},
            "buffers_in_use": {"type": "integer"}, "buffers": {"type": "integer"}
          }
        },
        "Runtime": {
          "type": "object", "required": ["features", "inactive", "workers"],
          "properties": {
            "workers": {"type": "array", "items": {"$ref": "#/components/schemas/Worker"}},
            "features": {"type": "object", "additionalProperties": {"type": "string"}},
            "inactive": {"type": "array", "items": {"type": "string"}}
          }
        },
        "Version": {
          "type": "object", "required": ["name", "pid", "uptime_seconds", "version"],
          "properties": {
            "version": {"type": "string"}, "name": {"type": "string"}, "pid": {"type": "integer"},
            "uptime_seconds": {"type": "number"}
          }
        },
        "Outcome": {
          "type": "object", "required": ["added", "removed"],
          "properties": {"added": {"type": "integer"}, "removed": {"type": "integer"}}
        },
        "PingRequest": {
          "type": "object", "required": ["address"], "additionalProperties": false,
          "description": "All of them take at most 40 s: (count - 1) x interval_ms + timeout_ms",
          "properties": {
            "address": {"type": "string"}, "vrf": {"type": "string"},
            "interface": {"type": "string"},
            "count": {"type": "integer", "minimum": 1, "maximum": 100, "default": 4},
            "interval_ms": {
              "type": "integer", "minimum": 10, "maximum": 10000, "default": 1000
            },
            "timeout_ms": {
              "type": "integer", "minimum": 10, "maximum": 10000, "default": 2000
            },
            "size": {"type": "integer", "minimum": 0, "maximum": 8972, "default": 56},
            "sequence": {"type": "integer", "minimum": 0, "maximum": 65535, "default": 1}
          }
        },
        "Ping": {
          "type": "object",
          "required": [
            "bytes", "from", "milliseconds", "mtu", "reason", "result", "sequence", "source", "ttl"
          ],
          "properties": {
            "sequence": {"type": "integer"},
            "result": {"enum": ["reply", "timeout", "unreachable", "ttl_exceeded", "too_big"]},
            "source": {"type": "string"}, "from": {"type": ["string", "null"]},
            "bytes": {"type": ["integer", "null"]}, "ttl": {"type": ["integer", "null"]},
            "milliseconds": {"type": ["number", "null"]}, "mtu": {"type": ["integer", "null"]},
            "reason": {"type": ["string", "null"]}
          }
        },
        "Changes": {
          "type": "object", "required": ["changes"],
          "properties": {"changes": {"type": "array", "items": {"type": "string"}}}
        },
        "Error": {
          "type": "object", "required": ["details", "error"],
          "properties": {
            "error": {"type": "string"}, "details": {"type": "array", "items": {"type": "string"}}
          }
        }
      }
    }
    """#
