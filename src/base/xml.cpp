// SPDX-License-Identifier: Apache-2.0
#include "base/xml.hpp"

#include <pugixml.hpp>

#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "base/xml_reader.hpp"
#include "base/xml_text.hpp"

namespace qconn::xml {

namespace {

constexpr std::size_t k_most_depth = 500;
constexpr std::string_view k_attributes = "^attributes^";
constexpr std::string_view k_value = "^value^";

[[noreturn]] void refuse(std::string_view what) { throw make_error(Errc::serialize, std::string{"writing a value as XML failed: "}.append(what)); }

// ---- reading ----

Value element(const pugi::xml_node& node) {
    Map map;
    if (node.first_attribute()) {
        Map attributes;
        for (const auto& a : node.attributes()) attributes.set(a.name(), Value{a.value()});
        map.insert(std::string{k_attributes}, Value{std::move(attributes)});
    }
    std::string text;
    bool has_text = false;
    std::size_t texts = 0;
    const auto end_text = [&] {
        if (!std::exchange(has_text, false)) return;
        const std::string number = texts == 0 ? "" : std::to_string(texts);
        ++texts;
        map.insert("^value" + number + "^", Value{std::exchange(text, {})});
    };
    for (const auto& child : node.children()) {
        if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
            text += child.value();
            has_text = true;
        } else if (child.type() == pugi::node_element) {
            end_text();
            Value* there = map.find(child.name());
            if (!there)
                map.insert(child.name(), element(child));
            else if (there->is_list())
                there->as_list().push_back(element(child));
            else
                *there = Value{List{std::move(*there), element(child)}};
        }
    }
    if (map.empty()) return has_text ? Value{text} : Value{};
    end_text();
    return Value{std::move(map)};
}

// ---- writing ----

bool is_text_key(std::string_view key) {
    if (!key.starts_with("^value") || key.size() < k_value.size() || key.back() != '^') return false;
    const std::string_view number = key.substr(6, key.size() - 7);
    return number.find_first_not_of("0123456789") == std::string_view::npos;
}

class Writer {
public:
    std::string out{"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"};

    void element(std::string_view key, const Value& v, std::size_t depth) {
        if (depth > k_most_depth) refuse("it has more than 500 levels");
        const std::string_view name = key.substr(0, key.find('^'));
        if (!is_name(name)) refuse("the key \"" + text::printable(text::shorten(key, 60)) + "\" cannot be the name of an element");
        if (v.kind() == ValueKind::tagged) return element(key, v.untagged(), depth + 1);
        out.append("<").append(name);
        if (v.is_map())
            if (const Value* attributes = v.as_map().find(k_attributes)) this->attributes(*attributes);
        const std::size_t open = out.size();
        out += '>';
        const std::size_t start = out.size();
        content(v, depth);
        if (out.size() == start && !v.is_string()) {
            out.resize(open);
            out += "/>";
        } else {
            out.append("</").append(name).append(">");
        }
    }

private:
    void text(std::string_view text) {
        if (!append_text(out, text, false)) refuse("a text in it has characters that XML cannot hold, or is not UTF-8");
    }

    /// Raw white space between elements would be dropped by a reader.
    void text_between(std::string_view text) {
        if (!text.empty() && text::trim(text).empty()) {
            out.append("&#").append(std::to_string(static_cast<int>(text.front()))).append(";");
            text.remove_prefix(1);
        }
        this->text(text);
    }

    void attributes(const Value& attributes) {
        if (!attributes.is_map()) refuse("^attributes^ is no map");
        for (const auto& [name, v] : attributes.as_map()) {
            const auto text = text::scalar(v);
            if (!is_name(name)) refuse("the key \"" + text::printable(text::shorten(name, 60)) + "\" cannot be the name of an attribute");
            if (!text) refuse("an attribute in it is a list or map");
            out.append(" ").append(name).append("=\"");
            if (!append_text(out, *text, true)) refuse("an attribute in it has characters that XML cannot hold, or is not UTF-8");
            out += '"';
        }
    }

    void content(const Value& v, std::size_t depth) {
        if (v.is_list()) {
            for (const Value& item : v.as_list()) element("element", item, depth + 1);
        } else if (v.is_map()) {
            for (const auto& [key, item] : v.as_map()) {
                if (key == k_attributes) continue;
                if (is_text_key(key)) {
                    const auto text = text::scalar(item);
                    if (!text) refuse("^value^ in it is a list or map");
                    text_between(*text);
                } else if (item.is_list()) {
                    for (const Value& each : item.as_list()) element(key, each, depth + 1);
                } else {
                    element(key, item, depth + 1);
                }
            }
        } else {
            const auto text = text::scalar(v);
            if (!text) refuse("a timestamp in it is not within the years 0 to 9999");
            this->text(*text);
        }
    }
};

}  // namespace

Result<Value> decode(std::string_view text, const Limits& limits) {
    // pugixml lets much pass that is not well-formed, so all is checked before.
    Reader reader{text, limits};
    if (auto error = reader.finish()) return *std::move(error);
    pugi::xml_document document;
    const auto result =
        document.load_buffer(reader.utf8().data(), reader.utf8().size(), pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
    if (!result) return make_error(Errc::parse, "the text is not good XML: byte " + std::to_string(result.offset) + ": " + result.description());
    const pugi::xml_node root = document.document_element();
    Map map;
    map.insert(root.name(), element(root));
    return Value{std::move(map)};
}

std::string encode(const Value& value) {
    Writer writer;
    const Value* v = &value;
    for (std::size_t depth = 0; v->kind() == ValueKind::tagged; v = &v->untagged())
        if (++depth > k_most_depth) refuse("it has more than 500 levels");
    if (v->is_list()) {
        writer.element("list", *v, 1);
    } else if (v->is_map() && v->size() == 1) {
        const auto& [key, item] = *v->as_map().begin();
        if (key.starts_with('^') || (item.is_list() && item.size() != 1))
            writer.element("value", *v, 1);
        else
            writer.element(key, item.is_list() ? item[0] : item, 1);
    } else {
        writer.element("value", *v, 1);
    }
    return std::move(writer.out);
}

}  // namespace qconn::xml
