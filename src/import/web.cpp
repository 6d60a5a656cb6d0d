// SPDX-License-Identifier: Apache-2.0
#include "import/web.hpp"

#include <algorithm>

#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "base/url_mask.hpp"

namespace qconn::importing {
namespace {

bool is_path(std::string_view text) noexcept {
    return text.size() < 4096 && text.find('\n') == std::string_view::npos && text.find("-----BEGIN") == std::string_view::npos;
}

/// What a path or query cannot hold as it is: an '@' would be taken for the end of user information.
std::string encoded_path(std::string_view path) {
    std::string out;
    for (const char c : path) {
        if (c == '@' || c == ' ' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            out += percent_encode(std::string_view{&c, 1});
        else
            out += c;
    }
    return out;
}

}  // namespace

std::string with_secret_parameters(Fields& fields, std::string_view text, std::string_view separators) {
    std::string out;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(separators), text.size());
        const std::string_view part = text.substr(0, end);
        const auto equals = part.find('=');
        const std::string_view name = part.substr(0, equals);
        if (equals != std::string_view::npos && equals + 1 < part.size() && name.size() <= 100 && names_credential(name))
            out.append(literal(name))
                .append("=")
                .append(fields.run().secret(fields.connection(), "parameter " + std::string{name}, part.substr(equals + 1)));
        else
            out += literal(part);
        if (end < text.size()) out += text[end];
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

bool fill_base_url(Fields& fields, Draft& draft, std::string_view text, Place place) {
    // Of what is percent-encoded only user and password are decoded: a definition has these as they are. The secret in a query stays encoded.
    const auto url = Url::try_parse(text::trim(text));
    if (!url || (url->scheme != "http" && url->scheme != "https") || url->host.empty()) {
        fields.run().error("bad-url", place, "no URL of http or https with a host stands there; the connection is left out", {}, fields.connection());
        return false;
    }
    draft.scheme = url->scheme;
    draft.host = literal(url->is_socket ? "socket=" + percent_encode(url->host) : url->host);
    if (url->port) draft.port = url->port;
    const std::string_view path = url->path;
    const auto fragment = path.find('#');
    if (fragment != std::string_view::npos)
        fields.run().warning("not-carried", place, "the part of the URL after '#' is not carried over", {}, fields.connection());
    const std::string_view sent = path.substr(0, fragment);
    draft.path = with_secret_parameters(fields, encoded_path(sent == "/" ? std::string_view{} : sent), "?&");
    if (url->username && draft.user.empty()) draft.user = literal(percent_decode(*url->username));
    if (url->password && !draft.password)
        draft.password = fields.run().secret(fields.connection(), "password", percent_decode(url->password->reveal()));
    return true;
}

bool is_header_name(std::string_view name) noexcept {
    constexpr std::string_view k_marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(),
                                        [&](char c) { return text::is_alpha(c) || text::is_digit(c) || k_marks.find(c) != std::string_view::npos; });
}

void add_written_header(Draft& draft, std::string_view name, std::string written) {
    Value& headers = draft.options["headers"];
    if (!headers.is_map()) headers = Map{};
    headers.as_map().set(name, Value{written});
}

void add_header(Fields& fields, Draft& draft, std::string_view name, std::string_view value) {
    const bool secret = names_credential(name) || text::iequals(name, "Cookie");
    add_written_header(draft, name, secret ? fields.run().secret(fields.connection(), "the header " + std::string{name}, value) : literal(value));
}

bool fill_aws(Fields& fields, Draft& draft, const AwsService& aws) {
    const std::string region = aws.region.empty() ? "us-east-1" : aws.region;
    if (!aws.key_id.empty()) draft.options.set("aws_keyid", Value{aws.key_id});
    if (aws.secret) draft.options.set("aws_secret", Value{*aws.secret});
    if (aws.token) draft.options.set("aws_token", Value{*aws.token});
    draft.options.set("aws_region", Value{region});
    draft.options.set("aws_service", Value{aws.service});
    if (aws.service == "s3") draft.options.set("aws_s3", true);
    draft.host = std::string{aws.service} + "." + region + ".amazonaws.com";
    if (!aws.endpoint.empty()) {
        const bool whole = aws.endpoint.find("://") != std::string::npos;
        if (!fill_base_url(fields, draft, whole ? aws.endpoint : "https://" + aws.endpoint, aws.place)) return false;
        if (draft.scheme == "http")
            fields.run().warning("other-protocol", aws.place, "the endpoint is one without TLS, which awsrests always has", {}, fields.connection());
    }
    draft.scheme = "awsrests";
    return true;
}

void add_pem(Fields& fields, Draft& draft, Fields::Names names, const char* path, const char* data, bool secret) {
    const Field* field = fields.find(names);
    if (field == nullptr) return;
    const auto text = text_of(field->value);
    const bool kept = !field->kept.empty() || !field->variable.empty();
    if (!kept && text && is_path(*text)) {
        draft.options.set(path, Value{home_path(fields.raw(names))});
    } else if (kept || secret) {
        if (auto written = fields.secret(names, data)) draft.options.set(data, Value{*written});
    } else {
        draft.options.set(data, Value{fields.text(names)});
    }
}

std::string home_path(std::string_view path, bool environment) {
    std::string out;
    if (path == "~" || path.starts_with("~/")) {
        out = "$HOME";
        path.remove_prefix(1);
    }
    if (!environment) return out + literal(path);
    // `${NAME}` stays; anything else in braces would be a reference of ours.
    for (std::size_t at = path.find("${"); at != std::string_view::npos; at = path.find("${")) {
        const std::size_t end = path.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", at + 2);
        const bool variable = end != std::string_view::npos && end > at + 2 && path[end] == '}';
        out.append(path.substr(0, at)).append(variable ? "${" : "$${");
        path.remove_prefix(at + 2);
    }
    return out.append(path);
}

}  // namespace qconn::importing
