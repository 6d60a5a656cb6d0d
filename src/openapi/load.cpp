// SPDX-License-Identifier: Apache-2.0
// From documents to the model: what Swagger 2.0 and OpenAPI 3.0 say in different words ends up as the same.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "openapi/model.hpp"
#include "openapi/pointer.hpp"

namespace qconn::openapi {

namespace {

constexpr std::array<std::string_view, 8> k_methods{"get", "put", "post", "delete", "options", "head", "patch", "trace"};

struct NamedStyle {
    std::string_view name;
    Style style;
};
// OpenAPI 3.0, Parameter Object.
constexpr std::array<NamedStyle, 7> k_styles{{{"simple", {StyleKind::simple, false, ',', false}},
                                              {"label", {StyleKind::label, false, ',', false}},
                                              {"matrix", {StyleKind::matrix, false, ',', false}},
                                              {"form", {StyleKind::form, false, ',', false}},
                                              {"spaceDelimited", {StyleKind::form, false, ' ', false}},
                                              {"pipeDelimited", {StyleKind::form, false, '|', false}},
                                              {"deepObject", {StyleKind::deep_object, true, ',', false}}}};
// Swagger 2.0, collectionFormat; in a path or header "simple" in place of "form".
constexpr std::array<NamedStyle, 5> k_collections{{{"csv", {StyleKind::form, false, ',', false}},
                                                   {"ssv", {StyleKind::form, false, ' ', false}},
                                                   {"tsv", {StyleKind::form, false, '\t', false}},
                                                   {"pipes", {StyleKind::form, false, '|', false}},
                                                   {"multi", {StyleKind::form, true, ',', false}}}};

const Style* find_style(const auto& table, std::string_view name) noexcept {
    const auto* found = std::find_if(table.begin(), table.end(), [name](const NamedStyle& s) { return s.name == name; });
    return found == table.end() ? nullptr : &found->style;
}

std::string text_of(const Spot& spot) {
    return spot.value != nullptr && spot.value->is_string() ? std::string{spot.value->as_string()} : std::string{};
}

std::vector<std::string> texts_of(const Spot& spot) {
    std::vector<std::string> all;
    if (spot.value == nullptr || !spot.value->is_list()) return all;
    for (const Value& one : spot.value->as_list())
        if (one.is_string()) all.emplace_back(one.as_string());
    return all;
}

class Loader {
public:
    explicit Loader(Sources& sources) : sources_{sources} {}

    Model load() {
        const Spot root{&sources_.main(), "", &sources_.main().root};
        if (!root.value->is_map()) sources_.fail(root, "an API description is a map");
        read_version(root);
        schemas_.emplace(sources_, swagger2() ? Dialect::swagger2 : Dialect::openapi3);
        const Spot info = root["info"];
        model_.title = text_of(info["title"]);
        model_.version = info["version"].value != nullptr ? text::scalar(*info["version"].value).value_or("") : "";
        if (!info || model_.title.empty() || model_.version.empty()) sources_.fault(info ? info : root, "info with title and version is missing");
        consumes_ = texts_of(root["consumes"]);
        produces_ = texts_of(root["produces"]);
        read_base_path(root);
        read_security(root);
        const Spot paths = root["paths"];
        if (paths.value == nullptr || !paths.value->is_map()) sources_.fail(paths.value != nullptr ? paths : root, "paths, a map, is missing");
        for (const auto& [path, item] : paths.value->as_map())
            if (!path.starts_with("x-")) read_path(path, paths[path]);
        model_.schemas = schemas_->take();
        for (std::size_t i = 0; i < model_.operations.size(); ++i) describe(model_.operations[i], model_.models[i]);
        model_.warnings = sources_.finish();
        model_.lax = sources_.options().lax;
        model_.limits = sources_.options().limits;
        return std::move(model_);
    }

private:
    bool swagger2() const noexcept { return model_.specification.starts_with("2."); }

    void read_version(const Spot& root) {
        const Spot swagger = root["swagger"];
        const Spot openapi = root["openapi"];
        const Spot given = swagger ? swagger : openapi;
        if (!given) sources_.fail(root, "it has neither swagger: '2.0' nor openapi: 3.0.x");
        std::string version = text::scalar(*given.value).value_or("");
        if (!given.value->is_string()) sources_.fault(given, "the version must be text; put it in quotes");
        if (swagger ? version != "2.0" && version != "2" : !version.starts_with("3.0")) {
            if (swagger || !version.starts_with("3.1"))
                sources_.fail(given, "version " + text::printable(version) + " is not known; there are Swagger 2.0 and OpenAPI 3.0");
            sources_.fault(given, "OpenAPI 3.1 is not known; lax reads it as 3.0");
        }
        model_.specification = swagger ? "2.0" : version;
    }

    void read_base_path(const Spot& root) {
        std::string base;
        if (swagger2()) {
            base = text_of(root["basePath"]);
            if (!base.empty() && !base.starts_with('/')) sources_.fault(root["basePath"], "basePath must begin with '/'");
        } else if (const Spot server = root["servers"][std::size_t{0}]; server) {
            base = server_path(server);
        }
        if (!sources_.options().base_path.empty()) base = sources_.options().base_path;
        if (base.empty()) return;
        if (!base.starts_with('/')) base.insert(0, "/");
        while (base.size() > 1 && base.ends_with('/')) base.pop_back();
        model_.base_path = base;
    }

    std::string server_path(const Spot& server) {
        std::string url = text_of(server["url"]);
        if (url.empty()) sources_.fault(server, "a server needs a url");
        const Spot variables = server["variables"];
        for (std::size_t at = 0; (at = url.find('{', at)) != std::string::npos;) {
            const std::size_t end = url.find('}', at);
            if (end == std::string::npos) break;
            const std::string name = url.substr(at + 1, end - at - 1);
            const Spot fallback = variables[name]["default"];
            const std::string value = fallback.value != nullptr ? text::scalar(*fallback.value).value_or("") : "";
            if (fallback.value == nullptr) sources_.fault(server, "the variable {" + text::printable(name) + "} of the server has no default");
            url.replace(at, end - at + 1, value);
            at += value.size();
        }
        if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) {
            url.erase(0, std::min(url.find('/', scheme + 3), url.size()));
            return url.empty() ? "/" : url;
        }
        return url;
    }

    void read_security(const Spot& root) {
        const Spot all = swagger2() ? root["securityDefinitions"] : root["components"]["securitySchemes"];
        if (!all || !all.value->is_map()) return;
        for (const auto& [name, value] : all.value->as_map()) {
            const Spot scheme = sources_.follow(all[name]);
            if (text_of(scheme["in"]) == "query") model_.security_queries.insert(text_of(scheme["name"]));
        }
    }

    void read_path(std::string path, const Spot& given) {
        const Spot item = sources_.follow(given);
        if (item.value == nullptr || !item.value->is_map()) sources_.fail(given, "what a path can do is a map");
        if (!path.starts_with('/')) {
            sources_.fault(given, "a path must begin with '/'");
            path.insert(0, "/");
        }
        for (const auto& [key, value] : item.value->as_map()) {
            const std::string method = text::to_lower(key);
            if (std::find(k_methods.begin(), k_methods.end(), method) == k_methods.end()) continue;
            if (method != key) sources_.fault(item[key], "methods are written in small letters");
            read_operation(path, method, item[key], item["parameters"]);
        }
    }

    void read_operation(const std::string& path, const std::string& method, const Spot& spot, const Spot& shared) {
        if (!spot.value->is_map()) sources_.fail(spot, "an operation is a map");
        Operation operation;
        OperationModel model;
        model.where = spot.name(&sources_.main());
        operation.path = path;
        operation.method = method;
        std::transform(operation.method.begin(), operation.method.end(), operation.method.begin(),
                       [](char c) { return static_cast<char>(c - 'a' + 'A'); });
        operation.summary = text_of(spot["summary"]);
        if (operation.summary.empty()) operation.summary = text_of(spot["description"]);
        operation.tags = texts_of(spot["tags"]);
        operation.deprecated = spot["deprecated"].value != nullptr && spot["deprecated"].value->is_bool() && spot["deprecated"].value->as_bool();
        operation.id = text_of(spot["operationId"]);
        if (!operation.id.empty() && model_.by_id.contains(operation.id)) {
            sources_.fault(spot["operationId"], "there are two operations of this id");
            operation.id.clear();
        }
        if (operation.id.empty()) operation.id = method + " " + path;
        model.segments = segments_of(path);
        std::string shape = operation.method + " ";
        for (const Segment& segment : model.segments) {
            shape += '/';
            for (const auto& piece : segment.pieces) shape += piece.variable ? std::string{"{}"} : piece.text;
        }
        if (!shapes_.insert(shape).second) {
            sources_.fault(spot, "another path is the same but for the names of its variables");
            return;
        }
        consumes_of_ = spot["consumes"].value != nullptr ? texts_of(spot["consumes"]) : consumes_;
        read_parameters(spot, shared, model);
        if (swagger2())
            read_forms(spot, model);
        else if (const Spot body = sources_.follow(spot["requestBody"]); body)
            read_body(body, model);
        read_responses(spot, model);
        model_.by_id.emplace(operation.id, model_.operations.size());
        model_.by_path.emplace(operation.method + " " + path, model_.operations.size());
        model_.operations.push_back(std::move(operation));
        model_.models.push_back(std::move(model));
    }

    void read_parameters(const Spot& spot, const Spot& shared, OperationModel& model) {
        std::vector<Spot> all;
        std::map<std::pair<std::string, std::string>, std::size_t> known;
        for (const Spot& list : {shared, spot["parameters"]}) {
            std::set<std::pair<std::string, std::string>> here;
            if (list.value == nullptr) continue;
            if (!list.value->is_list()) sources_.fail(list, "parameters must be a list");
            for (std::size_t i = 0; i < list.value->size(); ++i) {
                const Spot one = sources_.follow(list[i]);
                const std::pair<std::string, std::string> key{text_of(one["in"]), text_of(one["name"])};
                if (key.first.empty() || key.second.empty()) sources_.fail(one, "a parameter needs a name and a place, in");
                if (!here.insert(key).second) {
                    sources_.fault(one, "there are two parameters of this name");
                    continue;
                }
                if (const auto old = known.find(key); old != known.end()) {
                    all[old->second] = one;
                } else {
                    known.emplace(key, all.size());
                    all.push_back(one);
                }
            }
        }
        std::set<std::string> variables;
        for (const Segment& segment : model.segments)
            for (const auto& piece : segment.pieces)
                if (piece.variable) variables.insert(piece.text);
        for (const Spot& one : all) read_parameter(one, variables, model);
        for (const std::string& left : variables) {
            sources_.fault(spot, "the variable {" + left + "} of the path is no parameter");
            ParameterModel parameter;
            parameter.info = {left, In::path, true, "", ""};
            parameter.where = model.where;
            model.parameters.push_back(std::move(parameter));
        }
    }

    void read_parameter(const Spot& spot, std::set<std::string>& variables, OperationModel& model) {
        const std::string in = text_of(spot["in"]);
        ParameterModel parameter;
        parameter.info.name = text_of(spot["name"]);
        parameter.info.description = text_of(spot["description"]);
        parameter.where = spot.name(&sources_.main());
        const Spot required = spot["required"];
        parameter.info.required = required.value != nullptr && required.value->is_bool() && required.value->as_bool();
        if (required.value != nullptr && !required.value->is_bool()) sources_.fault(required, "it must be true or false");
        const Spot empty = spot["allowEmptyValue"];
        parameter.allow_empty = empty.value != nullptr && empty.value->is_bool() && empty.value->as_bool();
        if (in == "path") {
            parameter.info.in = In::path;
            if (variables.erase(parameter.info.name) == 0) {
                sources_.fault(spot, "the path has no variable {" + text::printable(parameter.info.name) + "}");
                return;
            }
            if (!parameter.info.required) sources_.fault(spot, "a parameter of the path must be required");
            parameter.info.required = true;
        } else if (in == "query") {
            parameter.info.in = In::query;
        } else if (in == "header") {
            parameter.info.in = In::header;
            // OpenAPI 3.0, Parameter Object: these are said elsewhere.
            for (const char* ignored : {"Accept", "Content-Type", "Authorization"})
                if (!swagger2() && text::iequals(parameter.info.name, ignored)) return;
        } else if (in == "cookie" && !swagger2()) {
            parameter.info.in = In::cookie;
        } else if (in == "formData" && swagger2()) {
            parameter.info.in = In::body;
        } else if (in == "body" && swagger2()) {
            if (model.body) sources_.fault(spot, "an operation has one body at most");
            model.body.emplace();
            model.body->where = parameter.where;
            model.body->required = parameter.info.required;
            model.body->name = parameter.info.name;
            const Spot schema = spot["schema"];
            if (!schema) sources_.fault(spot, "a body needs a schema");
            for (const std::string& type : types_or(consumes_of_, "application/json"))
                model.body->media.push_back({type, schema ? schemas_->at(schema) : nullptr});
            return;
        } else {
            sources_.fail(spot["in"], "there is no such place for a parameter: " + text::printable(in));
        }
        read_style(spot, parameter);
        (parameter.info.in == In::body ? fields_ : model.parameters).push_back(std::move(parameter));
    }

    void read_style(const Spot& spot, ParameterModel& parameter) {
        const bool simple = parameter.info.in == In::path || parameter.info.in == In::header;
        if (swagger2()) {
            parameter.schema = schemas_->at(spot);
            const Spot format = spot["collectionFormat"];
            const Style* style = find_style(k_collections, format ? text_of(format) : "csv");
            if (style == nullptr || (style->explode && simple)) sources_.fault(format, "there is no such collectionFormat here");
            parameter.style = style != nullptr ? *style : k_collections.front().style;
            if (simple) parameter.style.kind = StyleKind::simple;
            if (text_of(spot["type"]).empty()) sources_.fault(spot, "a parameter needs a type");
            return;
        }
        if (const Spot content = spot["content"]; content && content.value->is_map()) {
            for (const auto& [type, media] : content.value->as_map()) {
                parameter.style.kind = StyleKind::json;
                if (const Spot schema = content[type]["schema"]; schema) parameter.schema = schemas_->at(schema);
            }
            return;
        }
        if (const Spot schema = spot["schema"]; schema)
            parameter.schema = schemas_->at(schema);
        else
            sources_.fault(spot, "a parameter needs a schema or content");
        const Spot given = spot["style"];
        const std::string name = given ? text_of(given) : simple ? "simple" : "form";
        const Style* style = find_style(k_styles, name);
        if (style == nullptr) sources_.fault(given, "there is no such style");
        parameter.style = style != nullptr ? *style : Style{};
        const Spot explode = spot["explode"];
        parameter.style.explode =
            explode.value != nullptr && explode.value->is_bool() ? explode.value->as_bool() : name == "form" || name == "deepObject";
        const Spot reserved = spot["allowReserved"];
        parameter.style.allow_reserved = reserved.value != nullptr && reserved.value->is_bool() && reserved.value->as_bool();
    }

    static std::vector<std::string> types_or(std::vector<std::string> types, std::string_view fallback) {
        if (types.empty()) types.emplace_back(fallback);
        return types;
    }

    /// Fields of a form as one schema of an object.
    void read_forms(const Spot& spot, OperationModel& model) {
        std::vector<ParameterModel> fields = std::exchange(fields_, {});
        if (fields.empty()) return;
        if (model.body) {
            sources_.fault(spot, "an operation has a body or fields of a form, not both");
            return;
        }
        model.body.emplace();
        model.body->where = model.where + "/parameters";
        Schema& form = model_.forms.emplace_back();
        form.name = model.body->where;
        form.types = k_object;
        for (const ParameterModel& field : fields) {
            form.properties.emplace(field.info.name, field.schema);
            if (!field.info.required) continue;
            form.required.push_back(field.info.name);
            model.body->required = true;
        }
        for (const std::string& type : types_or(consumes_of_, "application/x-www-form-urlencoded")) model.body->media.push_back({type, &form});
        model.body->fields = std::move(fields);
    }

    void read_media(const Spot& content, std::vector<MediaModel>& out) {
        if (!content) return;
        if (!content.value->is_map()) sources_.fail(content, "content must be a map of media types");
        for (const auto& [type, media] : content.value->as_map()) {
            const Spot schema = content[type]["schema"];
            out.push_back({type, schema ? schemas_->at(schema) : nullptr});
        }
    }

    void read_body(const Spot& spot, OperationModel& model) {
        model.body.emplace();
        model.body->where = spot.name(&sources_.main());
        const Spot required = spot["required"];
        model.body->required = required.value != nullptr && required.value->is_bool() && required.value->as_bool();
        read_media(spot["content"], model.body->media);
        if (model.body->media.empty()) sources_.fault(spot, "a body needs content");
    }

    void read_responses(const Spot& spot, OperationModel& model) {
        const Spot responses = spot["responses"];
        if (responses.value == nullptr || !responses.value->is_map() || responses.value->size() == 0) {
            sources_.fault(spot, "an operation needs responses");
            return;
        }
        const bool own = spot["produces"].value != nullptr;
        const std::vector<std::string> produces = own ? texts_of(spot["produces"]) : produces_;
        for (const auto& [status, value] : responses.value->as_map()) {
            if (status.starts_with("x-")) continue;
            const Spot one = sources_.follow(responses[status]);
            ResponseModel& response = model.responses[status];
            response.where = one.name(&sources_.main());
            if (!one || !one.value->is_map()) {
                sources_.fault(one, "a response is a map");
                continue;
            }
            if (one["description"].value == nullptr) sources_.fault(one, "a response needs a description");
            if (swagger2()) {
                if (const Spot schema = one["schema"]; schema)
                    for (const std::string& type : types_or(produces, "*/*")) response.media.push_back({type, schemas_->at(schema)});
            } else {
                read_media(one["content"], response.media);
            }
            const Spot headers = one["headers"];
            if (!headers || !headers.value->is_map()) continue;
            for (const auto& [name, header] : headers.value->as_map()) {
                if (text::iequals(name, "Content-Type")) continue;
                const Spot at = sources_.follow(headers[name]);
                ParameterModel parameter;
                parameter.info = {name, In::header, false, "", ""};
                parameter.where = at.name(&sources_.main());
                const Spot required = at["required"];
                parameter.info.required = !swagger2() && required.value != nullptr && required.value->is_bool() && required.value->as_bool();
                read_style(at, parameter);
                response.headers.push_back(std::move(parameter));
            }
        }
    }

    /// What people are told of an operation, once the schemas are there.
    static void describe(Operation& operation, const OperationModel& model) {
        const auto info = [](const ParameterModel& parameter) {
            Parameter out = parameter.info;
            const std::uint8_t types = parameter.schema != nullptr ? types_of(*parameter.schema) : std::uint8_t{0};
            out.type = type_name(static_cast<Types>(types));
            return out;
        };
        for (const ParameterModel& parameter : model.parameters) operation.parameters.push_back(info(parameter));
        if (model.body) {
            for (const ParameterModel& field : model.body->fields) operation.parameters.push_back(info(field));
            for (const MediaModel& media : model.body->media) operation.request_types.push_back(media.range);
            operation.body_required = model.body->required;
        }
        for (const auto& [status, response] : model.responses) {
            for (const MediaModel& media : response.media) {
                if (std::find(operation.response_types.begin(), operation.response_types.end(), media.range) == operation.response_types.end())
                    operation.response_types.push_back(media.range);
            }
        }
    }

    Sources& sources_;
    Model model_;
    std::optional<Schemas> schemas_;
    std::vector<std::string> consumes_;
    std::vector<std::string> consumes_of_;  ///< of the operation that is being read
    std::vector<std::string> produces_;
    std::vector<ParameterModel> fields_;  ///< of the form of the operation that is being read
    std::set<std::string> shapes_;
};

}  // namespace

std::vector<Segment> segments_of(std::string_view path) {
    std::vector<Segment> segments;
    if (path.starts_with('/')) path.remove_prefix(1);
    for (std::string_view part : text::split(path, '/')) {
        Segment segment;
        while (!part.empty()) {
            const std::size_t open = std::min(part.find('{'), part.size());
            const std::size_t close = part.find('}', open);
            if (open == part.size() || close == std::string_view::npos) {
                segment.pieces.push_back({false, std::string{part}});
                break;
            }
            if (open > 0) segment.pieces.push_back({false, std::string{part.substr(0, open)}});
            segment.pieces.push_back({true, std::string{part.substr(open + 1, close - open - 1)}});
            part.remove_prefix(close + 1);
        }
        const auto variables = std::count_if(segment.pieces.begin(), segment.pieces.end(), [](const auto& piece) { return piece.variable; });
        segment.rank = variables == 0 ? 0 : segment.pieces.size() == 1 ? 2 : 1;
        segments.push_back(std::move(segment));
    }
    return segments;
}

Model load(Sources& sources) { return Loader{sources}.load(); }

}  // namespace qconn::openapi
