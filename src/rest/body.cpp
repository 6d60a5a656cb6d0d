// SPDX-License-Identifier: Apache-2.0
#include "rest/body.hpp"

#include <array>

#include "base/form.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "base/xml.hpp"
#include "base/yaml.hpp"
#include "http/content_type.hpp"
#include "rest/rest_error.hpp"

namespace qconn::rest {

namespace {

struct FormatInfo {
    std::string_view name;
    std::string_view content_type;
};
// In the order of DataFormat.
constexpr std::array<FormatInfo, 8> k_formats{{
    {"auto", "application/json"},
    {"json", "application/json"},
    {"yaml", "text/x-yaml"},
    {"xml", "text/xml"},
    {"rawxml", "application/xml"},
    {"url", "application/x-www-form-urlencoded"},
    {"text", "text/plain"},
    {"bin", "application/octet-stream"},
}};

const FormatInfo& info_of(DataFormat format) noexcept {
    const auto index = static_cast<std::size_t>(format);
    return k_formats[index < k_formats.size() ? index : 0];
}

std::string encode_text(const Value& value, DataFormat format) {
    switch (format) {
        case DataFormat::automatic:
        case DataFormat::json: return json::encode(value);
        case DataFormat::yaml: return yaml::encode(value);
        case DataFormat::xml: return xml::encode_rpc_value(value);
        case DataFormat::rawxml: return xml::encode(value);
        case DataFormat::url: return form::encode(value);
        case DataFormat::text:
        case DataFormat::bin: break;
    }
    if (value.is_string() || value.is_binary()) return std::string{value.as_bytes()};
    return yaml::encode(value);  // as Qorus does with what is no text
}

[[noreturn]] void refuse(const std::string& message) { throw make_rest_error(RestErrc::deserialization, message, Phase::body, Reason::bad_answer); }

Value take(Result<Value> result, std::string_view what) {
    if (result) return std::move(*result);
    refuse("the body is not the " + std::string{what} + " that its Content-Type says: " + std::string{result.error().message()});
}

}  // namespace

Encoded encode_body(const Value& value, DataFormat format, bool no_charset) {
    const FormatInfo& info = info_of(format);
    Encoded out;
    out.content_type = info.content_type;
    if (!no_charset && format != DataFormat::bin) out.content_type += ";charset=utf-8";
    try {
        out.body = encode_text(value, format);
    } catch (const Error& error) {
        const std::string_view name = format == DataFormat::url ? "FORMURLENCODING-ERROR" : "SERIALIZATION-ERROR";
        Error mine{RestErrc::serialization, name, "the body cannot be written as " + std::string{info.name} + ": " + std::string{error.message()}};
        throw std::move(mine).with_reason(Reason::bad_value);
    }
    return out;
}

BodyKind kind_of(std::string_view content_type) {
    const std::string type = text::to_lower(http::media_type(content_type));
    if (type.empty() || type == "application/octet-stream") return BodyKind::binary;
    if (type == "application/json" || type == "text/json" || type.ends_with("+json") || type.starts_with("application/x-amz-json-"))
        return BodyKind::json;
    if (type == "application/x-yaml" || type == "text/x-yaml" || type == "application/yaml" || type == "text/yaml" || type.ends_with("+yaml"))
        return BodyKind::yaml;
    if (type == "text/xml" || type == "application/xml" || type.ends_with("+xml")) return BodyKind::xml;
    if (type == "application/x-www-form-urlencoded") return BodyKind::form;
    if (type.starts_with("text/")) return BodyKind::text;
    return BodyKind::unknown;
}

Value decode_body(std::string_view body, std::string_view content_type, std::string_view assume_charset) {
    if (body.empty()) return {};
    const BodyKind kind = kind_of(content_type);
    if (kind == BodyKind::binary) return Value::binary(body);
    if (kind == BodyKind::unknown) {
        refuse("the Content-Type \"" + text::printable(text::shorten(http::media_type(content_type), 80)) +
               "\" is none that can be read as a value; use HttpClient::request for the bytes, or ask for another type by the Accept header");
    }
    std::string charset = http::charset_of(content_type);
    const bool is_named = !charset.empty();
    const bool is_text = kind == BodyKind::text || kind == BodyKind::form;
    // JSON is UTF-8 unless it says otherwise (RFC 8259 section 8.1); XML says it in its first line.
    if (!is_named && is_text) charset = text::to_lower(assume_charset);
    std::string converted;
    constexpr std::size_t k_declaration = 200;
    const bool says_itself = kind == BodyKind::xml && body.substr(0, k_declaration).find("encoding=") != std::string_view::npos;
    if (is_text || (!http::is_utf8_name(charset) && !says_itself)) {
        std::optional<std::string> utf8 = http::to_utf8(body, charset);
        if (!utf8) {
            refuse("the body is not text in the charset " +
                   (charset.empty() ? std::string{"utf-8"} : "\"" + text::printable(text::shorten(charset, 40)) + "\"") +
                   (is_named ? ", which its Content-Type names" : "; set option assume_encoding to the charset that this server uses"));
        }
        converted = std::move(*utf8);
        body = converted;
    }
    switch (kind) {
        case BodyKind::json: {
            json::Limits limits;
            limits.last_member_wins = true;  // as most readers of servers' answers do
            return take(json::decode(body, limits), "JSON");
        }
        case BodyKind::yaml: return take(yaml::decode(body), "YAML");
        case BodyKind::xml: {
            if (Result<Value> rpc = xml::decode_rpc_value(body)) return std::move(*rpc);
            return take(xml::decode(body), "XML");
        }
        case BodyKind::form: return take(form::decode(body), "form");
        default: return Value{body};
    }
}

}  // namespace qconn::rest

namespace qconn {
std::string_view to_string(DataFormat format) noexcept { return rest::info_of(format).name; }
}  // namespace qconn
