#include "bridge/server/api_reference.hpp"

#include <string_view>

#include "core/api_keys.hpp"
#include "core/api_table.hpp"

namespace roombus::server {

namespace {

std::string_view type_name(api_type type) {
  switch (type) {
    case api_type::text:
    case api_type::optional_text:
      return "text";
    case api_type::boolean:
    case api_type::optional_boolean:
      return "bool";
    case api_type::from_zero:
    case api_type::optional_from_zero:
      return "number ≥ 0";
    case api_type::optional_object:
      return "object";
    case api_type::optional_list:
    case api_type::list:
      return "list";
    case api_type::rest:
      return "list; by position the arguments from here on";
  }
  return "";
}

bool is_optional(api_type type) {
  switch (type) {
    case api_type::text:
    case api_type::boolean:
    case api_type::from_zero:
    case api_type::list:
      return false;
    case api_type::optional_text:
    case api_type::optional_boolean:
    case api_type::optional_from_zero:
    case api_type::optional_object:
    case api_type::optional_list:
    case api_type::rest:
      return true;
  }
  return true;
}

std::string_view schema_of(api_type type) {
  switch (type) {
    case api_type::text:
      return "{ type: string }";
    case api_type::optional_text:
      return "{ type: [string, 'null'] }";
    case api_type::boolean:
      return "{ type: boolean }";
    case api_type::optional_boolean:
      return "{ type: [boolean, 'null'] }";
    case api_type::from_zero:
      return "{ type: number, minimum: 0 }";
    case api_type::optional_from_zero:
      return "{ type: [number, 'null'], minimum: 0 }";
    case api_type::optional_object:
      return "{ type: [object, 'null'] }";
    case api_type::list:
      return "{ type: array }";
    case api_type::optional_list:
    case api_type::rest:
      return "{ type: [array, 'null'] }";
  }
  return "{}";
}

constexpr std::string_view openapi_head =
    R"(# Written by `roombus openapi` from the program's table of methods; scripts/docs writes it again.
openapi: 3.1.0
info:
  title: roombus server API
  version: '1'
  description: Rooms, users and connections for operators and back ends. Details are in docs/server-api.md.
servers:
  - url: http://127.0.0.1:8001
security:
  - key: []
paths:
  /api/v1/events:
    get:
      operationId: events
      summary: Operator events as they happen.
      parameters:
        - { name: Last-Event-ID, in: header, required: false, schema: { type: string }, description: 'Kept events behind this id come first; 0: all that are kept.' }
      responses:
        '200': { description: 'Event stream.', content: { text/event-stream: { schema: { type: string } } } }
        4XX: { $ref: '#/components/responses/failed' }
  /api/v1/rooms/{room}/events:
    get:
      operationId: roomEvents
      summary: Notifications of one room as they happen.
      parameters:
        - { name: room, in: path, required: true, schema: { type: string } }
        - { name: history, in: query, required: false, schema: { type: integer, minimum: 0 }, description: 'First the last messages, so many.' }
      responses:
        '200': { description: 'Event stream.', content: { text/event-stream: { schema: { type: string } } } }
        4XX: { $ref: '#/components/responses/failed' }
)";

constexpr std::string_view openapi_tail = R"(components:
  securitySchemes:
    key: { type: http, scheme: bearer }
  responses:
    done:
      description: The results of the call.
      content:
        application/json: { schema: { $ref: '#/components/schemas/done' } }
        application/cbor: { schema: { $ref: '#/components/schemas/done' } }
    failed:
      description: The call was refused or failed.
      content:
        application/json: { schema: { $ref: '#/components/schemas/failed' } }
        application/cbor: { schema: { $ref: '#/components/schemas/failed' } }
  schemas:
    done:
      type: object
      required: [result]
      properties:
        result: { description: 'The first result; null when there is nothing to tell.' }
        extra: { type: array, description: 'Further results.' }
    failed:
      type: object
      required: [error]
      properties:
        error:
          type: object
          required: [name, code, args, text]
          properties:
            name: { enum: [ChatServiceError, ApiError] }
            code: { type: string }
            args: { type: array }
            text: { type: string }
)";

std::string operation(const api_descriptor& method) {
  std::string properties;
  std::string required;
  for (const api_argument& a : method.arguments) {
    properties += "                  " + std::string(a.name) + ": " + std::string(schema_of(a.type)) + "\n";
    if (!is_optional(a.type)) required += (required.empty() ? "" : ", ") + std::string(a.name);
  }
  std::string out =
      "  /api/v1/" + std::string(method.name) + ":\n    post:\n      operationId: " + std::string(method.name) +
      "\n      summary: \"" + std::string(method.help) + "\"\n      description: 'Needs a key for " +
      std::string(to_text(method.access)) +
      ".'\n      requestBody:\n        required: " + (required.empty() ? "false" : "true") + "\n        content:\n";
  for (const char* type : {"application/json", "application/cbor"}) {
    out += "          " + std::string(type) + ":\n            schema:\n              oneOf:\n";
    out += "              - type: object\n                additionalProperties: false\n";
    if (!required.empty()) out += "                required: [" + required + "]\n";
    out += "                properties:\n" + properties + "              - type: array\n";
  }
  return out +
         "      responses:\n        '200': { $ref: '#/components/responses/done' }\n"
         "        4XX: { $ref: '#/components/responses/failed' }\n"
         "        5XX: { $ref: '#/components/responses/failed' }\n";
}

}  // namespace

std::string api_reference() {
  std::string out = "| method | arguments | key | what |\n|---|---|---|---|\n";
  for (const api_descriptor& method : all_api_methods()) {
    std::string arguments;
    for (const api_argument& a : method.arguments) {
      if (!arguments.empty()) arguments += ", ";
      arguments +=
          "`" + std::string(a.name) + "`" + (is_optional(a.type) ? "?" : "") + " " + std::string(type_name(a.type));
    }
    out += "| `" + std::string(method.name) + "` | " + (arguments.empty() ? "–" : arguments) + " | " +
           std::string(to_text(method.access)) + " | " + std::string(method.help) + " |\n";
  }
  return out;
}

std::string openapi() {
  std::string out(openapi_head);
  for (const api_descriptor& method : all_api_methods())
    out += operation(method);
  return out.append(openapi_tail);
}

}  // namespace roombus::server
