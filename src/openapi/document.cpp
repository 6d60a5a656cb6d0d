// SPDX-License-Identifier: Apache-2.0
#include <qconn/openapi/document.hpp>

#include <algorithm>
#include <array>

#include <qconn/base/url.hpp>

#include "base/code_category.hpp"
#include "base/form.hpp"
#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "openapi/model.hpp"
#include "openapi/pointer.hpp"
#include "openapi/validate.hpp"

namespace qconn::openapi {

namespace {

// In the order of OpenApiErrc, which begins with 1.
constexpr std::array<CodeWords, 3> k_codes{{{"SWAGGER-SCHEMA-ERROR", "an API description cannot be used"},
                                            {"REQUEST-VALIDATION-ERROR", "a request is not as the API description has it"},
                                            {"RESPONSE-VALIDATION-ERROR", "an answer is not as the API description has it"}}};

/// What can be said of a body of a media type.
enum class Content : std::uint8_t { value, form, text, other };

std::string media_type(std::string_view content_type) { return text::to_lower(text::trim(content_type.substr(0, content_type.find(';')))); }

Content content_of(std::string_view type) {
    if (type.empty() || type.find('*') != std::string_view::npos) return Content::value;
    const std::string_view kind = type.substr(std::min(type.find('/') + 1, type.size()));
    if (kind == "json" || kind.ends_with("+json") || kind.find("yaml") != std::string_view::npos) return Content::value;
    if (kind == "x-www-form-urlencoded" || kind == "form-data") return Content::form;
    if (kind.find("xml") != std::string_view::npos) return Content::other;
    return type.starts_with("text/") ? Content::text : Content::other;
}

const MediaModel* find_media(const std::vector<MediaModel>& all, std::string_view content_type) {
    const std::string type = media_type(content_type);
    const MediaModel* best = nullptr;
    int best_rank = 0;
    for (const MediaModel& media : all) {
        const std::string range = media_type(media.range);
        const bool main_type = range.ends_with("/*") && type.starts_with(range.substr(0, range.size() - 1));
        const int rank = range == type ? 3 : range == "*/*" ? 1 : main_type ? 2 : 0;
        if (rank > best_rank) {
            best = &media;
            best_rank = rank;
        }
    }
    return best;
}

std::string ranges_of(const std::vector<MediaModel>& all) {
    std::string words;
    for (const MediaModel& media : all) (words += words.empty() ? "" : ", ") += text::printable(media.range);
    return words;
}

/// Texts of a form as what the members of its schema are.
Value form_values(const Value& body, const Schema& schema) {
    if (!body.is_map()) return body;
    Map out;
    for (const auto& [key, value] : body.as_map()) out.set(key, read_value(key, Style{}, value, member_of(schema, key)));
    return out;
}

const Value* find_header(const Map& headers, std::string_view name) {
    const auto found = std::find_if(headers.begin(), headers.end(), [name](const auto& h) { return text::iequals(h.first, name); });
    return found == headers.end() ? nullptr : &found->second;
}

/// Whoever sends a request says these in other ways: by credentials and bodies. 3.0 does not count them among the parameters.
bool is_said_elsewhere(const ParameterModel& parameter) {
    constexpr std::array<std::string_view, 3> k_names{"Authorization", "Accept", "Content-Type"};
    return parameter.info.in == In::header &&
           std::any_of(k_names.begin(), k_names.end(), [&](auto name) { return text::iequals(name, parameter.info.name); });
}

void check_parameter(Check& check, const ParameterModel& parameter, const Value* given) {
    const std::string where = below("/" + std::string{to_string(parameter.info.in)}, parameter.info.name);
    if (given == nullptr || given->is_null()) {
        if (parameter.info.required && !is_said_elsewhere(parameter)) check.finding(where, parameter.where, "is missing");
        return;
    }
    if (parameter.schema == nullptr) return;
    if (parameter.allow_empty && given->is_string() && given->size() == 0) return;
    check.value(*parameter.schema, read_value(parameter.info.name, parameter.style, *given, parameter.schema), where);
}

/// @returns whether there was a body that can be of that type
bool check_media(Check& check, const std::vector<MediaModel>& all, const std::string& where, const Value& body, std::string_view content_type) {
    const MediaModel* media = content_type.empty() && !all.empty() ? &all.front() : find_media(all, content_type);
    if (media == nullptr) {
        check.finding("/content-type", where, "is " + text::printable(media_type(content_type)) + "; there is " + ranges_of(all));
        return false;
    }
    if (media->schema == nullptr) return true;
    switch (content_of(media_type(content_type.empty() ? std::string_view{media->range} : content_type))) {
        case Content::value: check.value(*media->schema, body, "/body"); break;
        case Content::form: check.value(*media->schema, form_values(body, *media->schema), "/body"); break;
        case Content::text: check.value(*media->schema, read_value("body", Style{}, body, media->schema), "/body"); break;
        case Content::other: break;
    }
    return true;
}

bool match_segment(const Segment& segment, std::string_view raw, std::vector<std::pair<std::string_view, std::string_view>>& variables) {
    if (segment.rank == 0) {
        const std::string_view literal = segment.pieces.empty() ? std::string_view{} : std::string_view{segment.pieces.front().text};
        return raw == literal || percent_decode(raw) == literal;
    }
    for (std::size_t i = 0; i < segment.pieces.size(); ++i) {
        const auto& piece = segment.pieces[i];
        if (!piece.variable) {
            if (!raw.starts_with(piece.text)) return false;
            raw.remove_prefix(piece.text.size());
            continue;
        }
        const bool last = i + 1 == segment.pieces.size();
        const std::size_t end = last || segment.pieces[i + 1].variable ? raw.size() : raw.find(segment.pieces[i + 1].text, 1);
        if (raw.empty() || end == std::string_view::npos) return false;
        variables.emplace_back(piece.text, raw.substr(0, end));
        raw.remove_prefix(end);
    }
    return raw.empty();
}

std::string known_arguments(const OperationModel& model) {
    std::string words;
    for (const ParameterModel& parameter : model.parameters) (words += words.empty() ? "" : ", ") += parameter.info.name;
    if (model.body) {
        for (const ParameterModel& field : model.body->fields) (words += words.empty() ? "" : ", ") += field.info.name;
        if (model.body->fields.empty()) (words += words.empty() ? "" : ", ") += "body";
    }
    return words.empty() ? "it takes none" : "there are " + text::printable(words);
}

}  // namespace

const std::error_category& openapi_category() noexcept {
    static const CodeCategory category{"qconn.openapi", k_codes};
    return category;
}

std::error_code make_error_code(OpenApiErrc code) noexcept { return {static_cast<int>(code), openapi_category()}; }

std::string_view to_string(In in) noexcept {
    constexpr std::array<std::string_view, 5> k_names{"path", "query", "header", "cookie", "body"};
    return k_names[static_cast<std::size_t>(in)];
}

std::string to_string(const std::vector<Finding>& findings) {
    std::string words;
    for (const Finding& one : findings) {
        (words += words.empty() ? "" : "; ") += text::printable(one.instance) + " " + one.message + " (" + text::printable(one.schema) + ")";
    }
    return words;
}

struct Document::Impl {
    Model model;

    const OperationModel& of(const Operation& operation) const {
        const auto found = model.by_path.find(operation.method + " " + operation.path);
        if (found == model.by_path.end())
            throw make_error(Errc::invalid_argument, "the API description has no operation " + operation.method + " " + operation.path);
        return model.models[found->second];
    }
};

Document::Document(std::unique_ptr<const Impl> impl) noexcept : impl_{std::move(impl)} {}
Document::~Document() = default;

std::shared_ptr<const Document> Document::parse(std::string_view text, const ParseOptions& options) {
    Sources sources{options};
    sources.add_main(text);
    return std::shared_ptr<const Document>{new Document{std::make_unique<const Impl>(Impl{load(sources)})}};
}

std::shared_ptr<const Document> Document::from_value(const Value& value, const ParseOptions& options) {
    Sources sources{options};
    sources.add_main(value);
    return std::shared_ptr<const Document>{new Document{std::make_unique<const Impl>(Impl{load(sources)})}};
}

const std::string& Document::title() const noexcept { return impl_->model.title; }
const std::string& Document::version() const noexcept { return impl_->model.version; }
const std::string& Document::specification() const noexcept { return impl_->model.specification; }
const std::string& Document::base_path() const noexcept { return impl_->model.base_path; }
const std::vector<Fault>& Document::warnings() const noexcept { return impl_->model.warnings; }
const std::vector<Operation>& Document::operations() const noexcept { return impl_->model.operations; }

const Operation* Document::find(std::string_view id) const noexcept {
    const auto found = impl_->model.by_id.find(std::string{id});
    return found == impl_->model.by_id.end() ? nullptr : &impl_->model.operations[found->second];
}

std::optional<Document::Match> Document::match(std::string_view method, std::string_view target) const {
    const Model& model = impl_->model;
    target = target.substr(0, target.find('#'));
    const std::size_t mark = std::min(target.find('?'), target.size());
    const std::string_view query = target.substr(std::min(mark + 1, target.size()));
    std::string path{target.substr(0, mark)};
    if (!path.starts_with('/')) path.insert(0, "/");

    std::vector<std::string_view> candidates{path};
    const std::string& base = model.base_path;
    if (base.size() > 1 && path.starts_with(base) && (path.size() == base.size() || path[base.size()] == '/'))
        candidates.push_back(path.size() == base.size() ? std::string_view{"/"} : std::string_view{path}.substr(base.size()));
    using Variables = std::vector<std::pair<std::string_view, std::string_view>>;
    std::size_t best = model.models.size();
    Variables best_variables;
    std::string best_rank;
    for (const std::string_view candidate : candidates) {
        const auto parts = text::split(candidate.substr(1), '/');
        for (std::size_t i = 0; i < model.models.size(); ++i) {
            const auto& segments = model.models[i].segments;
            if (segments.size() != parts.size() || model.operations[i].method != method) continue;
            Variables variables;
            std::string rank;  // of its segments: what is smaller is more specific
            bool fits = true;
            for (std::size_t k = 0; fits && k < parts.size(); ++k) {
                fits = match_segment(segments[k], parts[k], variables);
                rank += static_cast<char>('0' + segments[k].rank);
            }
            if (!fits || (best != model.models.size() && rank >= best_rank)) continue;
            best = i;
            best_rank = rank;
            best_variables = std::move(variables);
        }
        if (best != model.models.size()) break;
    }
    if (best == model.models.size()) return std::nullopt;

    Match match;
    match.operation = &model.operations[best];
    RawQuery raw = split_query(query);
    for (const ParameterModel& parameter : model.models[best].parameters) {
        const std::string& name = parameter.info.name;
        if (parameter.info.in == In::path) {
            const auto found = std::find_if(best_variables.begin(), best_variables.end(), [&](const auto& v) { return v.first == name; });
            if (found != best_variables.end())
                match.request.path.set(name, read_text(name, parameter.style, found->second, parameter.schema, Coding::percent));
        } else if (parameter.info.in == In::query) {
            Value value = read_query(raw, name, parameter.style, parameter.schema);
            if (!value.is_null()) match.request.query.set(name, std::move(value));
        }
    }
    for (auto& [name, text] : raw) match.request.query.set(name, percent_decode(text));
    return match;
}

std::vector<Finding> Document::check_request(const Operation& operation, const Request& request) const {
    const Model& model = impl_->model;
    const OperationModel& known = impl_->of(operation);
    Check check{model.limits, Check::Direction::request, model.lax};
    for (const ParameterModel& parameter : known.parameters) {
        const std::string& name = parameter.info.name;
        switch (parameter.info.in) {
            case In::path: check_parameter(check, parameter, request.path.find(name)); break;
            case In::query: check_parameter(check, parameter, request.query.find(name)); break;
            case In::header: check_parameter(check, parameter, find_header(request.header, name)); break;
            case In::cookie: check_parameter(check, parameter, request.cookie.find(name)); break;
            case In::body: break;
        }
    }
    for (const auto& [name, value] : request.query) {
        if (model.lax || model.security_queries.contains(name)) continue;
        const bool described = std::any_of(known.parameters.begin(), known.parameters.end(),
                                           [&](const ParameterModel& p) { return p.info.in == In::query && p.info.name == name; });
        if (!described) check.finding(below("/query", name), known.where, "is not described");
    }
    const bool body = !request.body.is_null() || request.has_null_body;
    if (!body && known.body && known.body->required) check.finding("/body", known.body->where, "is missing");
    if (body && !known.body) check.finding("/body", known.where, "is not described: the operation takes none");
    if (body && known.body) check_media(check, known.body->media, known.body->where, request.body, request.content_type);
    return check.take();
}

std::vector<Finding> Document::check_response(const Operation& operation, const Response& response) const {
    const Model& model = impl_->model;
    const OperationModel& known = impl_->of(operation);
    Check check{model.limits, Check::Direction::response, model.lax};
    const std::string status = std::to_string(response.status);
    auto found = known.responses.find(status);
    if (found == known.responses.end()) found = known.responses.find(status.substr(0, 1) + "XX");
    if (found == known.responses.end()) found = known.responses.find("default");
    if (found == known.responses.end()) {
        check.finding("/status", known.where + "/responses", "is " + status + ", which is not described");
        return check.take();
    }
    const ResponseModel& described = found->second;
    for (const ParameterModel& header : described.headers) check_parameter(check, header, find_header(response.header, header.info.name));
    const bool none = operation.method == "HEAD" || response.status == 204 || response.status == 304;
    if (described.media.empty() || none) return check.take();
    const bool nothing = response.body.is_null() && response.content_type.empty();
    if (nothing)
        check.finding("/body", described.where, "is missing");
    else
        check_media(check, described.media, described.where, response.body, response.content_type);
    return check.take();
}

namespace {

/// Arguments by the parameters that they are for.
class Builder {
public:
    Builder(const Operation& operation, const OperationModel& model) : operation_{operation}, model_{model} {}

    void add(const std::string& name, const Value& value) {
        if (value.is_null() && name != "body") return;
        std::vector<const ParameterModel*> fitting;
        for (const ParameterModel& parameter : model_.parameters)
            if (parameter.info.name == name || std::string{to_string(parameter.info.in)} + "." + parameter.info.name == name)
                fitting.push_back(&parameter);
        if (fitting.size() > 1)
            fail("there are several parameters " + text::printable(name) + ": say " + std::string{to_string(fitting[0]->info.in)} + "." + name +
                 " or " + std::string{to_string(fitting[1]->info.in)} + "." + name);
        if (!fitting.empty()) {
            given_.emplace_back(fitting.front(), read_value(name, fitting.front()->style, value, fitting.front()->schema));
            return;
        }
        if (model_.body && model_.body->fields.empty() && (name == "body" || name == model_.body->name)) {
            whole_body_ = true;
            body_ = value;
            return;
        }
        members_.set(name, value);
    }

    BuiltRequest take() {
        BuiltRequest out;
        out.method = operation_.method;
        place_body(out);
        std::vector<std::string> query;
        std::string cookies;
        for (const ParameterModel& parameter : model_.parameters) {
            const Value* value = value_of(parameter);
            if (value == nullptr) continue;
            const std::string& name = parameter.info.name;
            switch (parameter.info.in) {
                case In::query:
                    write_query(query, name, parameter.style, *value);
                    out.values.query.set(name, *value);
                    break;
                case In::header:
                    out.headers.emplace_back(name, write_text(name, parameter.style, *value, Coding::none));
                    out.values.header.set(name, *value);
                    break;
                case In::cookie:
                    (cookies += cookies.empty() ? "" : "; ") += name + "=" + write_text(name, parameter.style, *value, Coding::percent);
                    out.values.cookie.set(name, *value);
                    break;
                default: out.values.path.set(name, *value); break;
            }
        }
        if (!cookies.empty()) out.headers.emplace_back("Cookie", cookies);
        out.target = path();
        for (std::size_t i = 0; i < query.size(); ++i) (out.target += i == 0 ? '?' : '&') += query[i];
        return out;
    }

private:
    [[noreturn]] void fail(const std::string& what) const {
        throw make_error(Errc::invalid_argument, "calling " + text::printable(operation_.id) + " failed: " + what);
    }

    const Value* value_of(const ParameterModel& parameter) const {
        const auto found = std::find_if(given_.begin(), given_.end(), [&](const auto& one) { return one.first == &parameter; });
        return found == given_.end() ? nullptr : &found->second;
    }

    void place_body(BuiltRequest& out) {
        const bool takes_members = model_.body && !whole_body_ && !model_.body->media.empty();
        if (!members_.empty()) {
            const Schema* schema = takes_members ? model_.body->media.front().schema : nullptr;
            const std::uint8_t types = schema != nullptr ? types_of(*schema) : std::uint8_t{k_object};
            for (const auto& [name, value] : members_) {
                const bool field =
                    takes_members && (model_.body->fields.empty() || std::any_of(model_.body->fields.begin(), model_.body->fields.end(),
                                                                                 [&](const auto& f) { return f.info.name == name; }));
                if (!field || (types != 0 && (types & k_object) == 0))
                    fail("it has no parameter " + text::printable(name) + "; " + known_arguments(model_));
            }
            body_ = Value{std::move(members_)};
        }
        out.body = std::move(body_);
        out.values.has_null_body = whole_body_ && out.body.is_null();
        out.values.body = out.body;
        if (!model_.body || (out.body.is_null() && !out.values.has_null_body)) return;
        constexpr std::array<Content, 3> k_preferred{Content::value, Content::form, Content::text};
        for (const Content wanted : k_preferred) {
            for (const MediaModel& media : model_.body->media) {
                const bool certain = media.range.find('*') == std::string::npos;
                if (!certain || !out.content_type.empty() || content_of(media_type(media.range)) != wanted ||
                    media_type(media.range) == "multipart/form-data")
                    continue;
                out.content_type = media.range;
            }
        }
        const bool one = !model_.body->media.empty() && model_.body->media.front().range.find('*') == std::string::npos;
        if (out.content_type.empty() && one) out.content_type = model_.body->media.front().range;
        out.values.content_type = out.content_type;
    }

    std::string path() const {
        std::string out;
        for (const Segment& segment : model_.segments) {
            std::string part;
            for (const auto& piece : segment.pieces) part += piece.variable ? variable(piece.text) : piece.text;
            // What a path does with these is not what anybody means who gives them for a name.
            if (segment.rank > 0 && (part == "." || part == "..")) fail("'" + part + "' cannot be sent as a part of the path");
            (out += '/') += part;
        }
        return out.empty() ? "/" : out;
    }

    std::string variable(const std::string& name) const {
        for (const ParameterModel& parameter : model_.parameters) {
            if (parameter.info.in != In::path || parameter.info.name != name) continue;
            const Value* value = value_of(parameter);
            if (value == nullptr) fail("the parameter " + text::printable(name) + " of the path is missing");
            std::string text = write_text(name, parameter.style, *value, Coding::percent);
            if (text.empty()) fail("the parameter " + text::printable(name) + " of the path is empty");
            return text;
        }
        return {};
    }

    const Operation& operation_;
    const OperationModel& model_;
    std::vector<std::pair<const ParameterModel*, Value>> given_;
    Map members_;
    Value body_;
    bool whole_body_{false};
};

}  // namespace

BuiltRequest Document::build(const Operation& operation, const Map& arguments) const {
    Builder builder{operation, impl_->of(operation)};
    for (const auto& [name, value] : arguments) builder.add(name, value);
    return builder.take();
}

}  // namespace qconn::openapi
