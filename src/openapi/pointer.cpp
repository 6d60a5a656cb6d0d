// SPDX-License-Identifier: Apache-2.0
#include "openapi/pointer.hpp"

#include <algorithm>
#include <charconv>

#include <qconn/base/url.hpp>

#include "base/text.hpp"

namespace qconn::openapi {

std::string below(std::string_view pointer, std::string_view key) {
    std::string out{pointer};
    out += '/';
    for (const char c : key) {
        if (c == '~')
            out += "~0";
        else if (c == '/')
            out += "~1";
        else
            out += c;
    }
    return out;
}

std::string below(std::string_view pointer, std::size_t index) { return below(pointer, std::to_string(index)); }

std::optional<std::vector<std::string>> steps_of(std::string_view pointer) {
    std::vector<std::string> steps;
    if (pointer.empty()) return steps;
    if (pointer.front() != '/') return std::nullopt;
    for (const std::string_view part : text::split(pointer.substr(1), '/')) {
        std::string step;
        for (std::size_t i = 0; i < part.size(); ++i) {
            const bool escape = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
            step += escape ? (part[++i] == '0' ? '~' : '/') : part[i];
        }
        steps.push_back(std::move(step));
    }
    return steps;
}

const Value* find_at(const Value& root, std::string_view pointer) {
    const auto steps = steps_of(pointer);
    if (!steps) return nullptr;
    const Value* at = &root;
    for (const std::string& step : *steps) {
        if (at->is_map()) {
            at = at->as_map().find(step);
        } else if (at->is_list()) {
            std::size_t index = 0;
            const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
            const bool there = error == std::errc{} && end == step.data() + step.size() && index < at->size();
            at = there ? &at->as_list()[index] : nullptr;
        } else {
            at = nullptr;
        }
        if (at == nullptr) return nullptr;
    }
    return at;
}

namespace {

/// Where the path of a location begins: behind "scheme://authority", or "scheme:".
std::size_t path_start(std::string_view location) noexcept {
    const std::size_t scheme = location.find("://");
    if (scheme == std::string_view::npos) return 0;
    return std::min(location.find('/', scheme + 3), location.size());
}

std::string without_dots(std::string_view path) {
    std::vector<std::string_view> kept;
    const bool absolute = path.starts_with('/');
    for (const std::string_view part : text::split(path, '/')) {
        if (part == "." || (part.empty() && !kept.empty())) continue;
        if (part == ".." && absolute && kept.size() == 1) continue;
        if (part == ".." && !kept.empty() && kept.back() != "..") {
            kept.pop_back();
            continue;
        }
        kept.push_back(part);
    }
    std::string out;
    for (std::size_t i = 0; i < kept.size(); ++i) (out += i == 0 ? "" : "/") += kept[i];
    return out;
}

}  // namespace

Reference resolve_reference(std::string_view base, std::string_view reference) {
    const std::size_t hash = std::min(reference.find('#'), reference.size());
    const std::string_view target = reference.substr(0, hash);
    Reference out;
    out.pointer = percent_decode(reference.substr(std::min(hash + 1, reference.size())));
    if (target.empty()) {
        out.location = base;
    } else if (target.find("://") != std::string_view::npos || target.starts_with("resource:") || target.starts_with("file:")) {
        out.location = target;
    } else if (base.starts_with("resource:")) {  // resource://service:name
        out.location = std::string{base.substr(0, base.find_last_of(":/") + 1)} + std::string{target};
    } else {
        const std::size_t start = path_start(base);
        const std::size_t slash = base.rfind('/');
        const bool has_folder = slash != std::string_view::npos && slash >= start;
        std::string path = target.starts_with('/') ? "" : std::string{has_folder ? base.substr(start, slash + 1 - start) : std::string_view{}};
        path += target;
        if (start > 0 && !path.starts_with('/')) path.insert(0, "/");
        out.location = std::string{base.substr(0, start)} + without_dots(path);
    }
    return out;
}

}  // namespace qconn::openapi
