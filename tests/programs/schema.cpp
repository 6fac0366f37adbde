#include "tests/programs/schema.h"

#include <regex>
#include <set>

namespace tpc {

namespace {

using Json = nlohmann::json;

bool hasType(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return false;
}

std::string check(const Json& value, const Json& schema, const Json& root, const std::string& at) {
  static const std::set<std::string> known = {"$schema",     "$id",   "$defs",    "$ref",       "title",
                                              "description", "type",  "required", "properties", "additionalProperties",
                                              "items",       "enum",  "const",    "pattern",    "minimum",
                                              "maxItems",    "oneOf", "if",       "then"};
  for (const auto& [key, unused] : schema.items()) {
    if (!known.count(key)) return at + ": the schema says `" + key + "`, which this check does not know";
  }
  if (schema.contains("$ref")) {
    const std::string reference = schema["$ref"];
    const Json& target = root.at(Json::json_pointer(reference.substr(1)));
    if (std::string found = check(value, target, root, at); !found.empty()) return found;
  }
  if (schema.contains("type") && !hasType(value, schema["type"]))
    return at + " is no " + schema["type"].get<std::string>();
  if (schema.contains("const") && value != schema["const"]) return at + " is not " + schema["const"].dump();
  if (schema.contains("enum")) {
    bool found = false;
    for (const Json& one : schema["enum"]) found |= one == value;
    if (!found) return at + " is " + value.dump() + ", none of " + schema["enum"].dump();
  }
  if (schema.contains("pattern") && value.is_string() &&
      !std::regex_search(value.get<std::string>(), std::regex(schema["pattern"].get<std::string>()))) {
    return at + " is " + value.dump() + ", which does not match";
  }
  if (schema.contains("minimum") && value.is_number() && value < schema["minimum"]) return at + " is too small";
  if (schema.contains("maxItems") && value.is_array() && value.size() > schema["maxItems"]) return at + " is too long";
  if (schema.contains("oneOf")) {
    int fitting = 0;
    for (const Json& one : schema["oneOf"]) fitting += check(value, one, root, at).empty();
    if (fitting != 1) return at + " is " + value.dump() + ", which fits " + std::to_string(fitting) + " of the choices";
  }
  if (value.is_object()) {
    for (const Json& key : schema.value("required", Json::array())) {
      if (!value.contains(key)) return (at.empty() ? std::string("/") : at) + " lacks " + key.dump();
    }
    for (const auto& [key, inner] : value.items()) {
      const bool named = schema.contains("properties") && schema["properties"].contains(key);
      if (!named && !schema.contains("additionalProperties")) continue;
      const Json& inside = named ? schema["properties"][key] : schema["additionalProperties"];
      if (std::string found = check(inner, inside, root, at + "/" + key); !found.empty()) return found;
    }
  }
  if (value.is_array() && schema.contains("items")) {
    for (size_t i = 0; i < value.size(); ++i) {
      if (std::string found = check(value[i], schema["items"], root, at + "/" + std::to_string(i)); !found.empty())
        return found;
    }
  }
  if (schema.contains("if") && check(value, schema["if"], root, at).empty() && schema.contains("then")) {
    return check(value, schema["then"], root, at);
  }
  return {};
}

}  // namespace

std::string schemaViolation(const Json& document, const Json& schema) { return check(document, schema, schema, ""); }

}  // namespace tpc
