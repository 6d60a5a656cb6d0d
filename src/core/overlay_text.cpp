// SPDX-License-Identifier: Apache-2.0
#include "core/overlay_text.hpp"

#include <algorithm>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/core/secret_overlay.hpp>

#include "base/text.hpp"
#include "base/yaml.hpp"
#include "core/parsed_source.hpp"

namespace qconn::core {

namespace {

using yaml::Node;

constexpr yaml::Limits k_limits{.size = k_most_overlay_bytes, .depth = 8, .nodes = 100'000};
constexpr std::size_t k_longest_shown = 60;

class Reading {
public:
    explicit Reading(const std::string& file) : file_{file} {}

    OverlayText run(std::string_view text) {
        const auto tree = yaml::parse(text, k_limits);
        for (const yaml::Problem& problem : tree.problems) {
            if (problem.code == "duplicate-key") continue;  // concerns one connection, which is told
            Diagnostic found = finding(problem, tree.documents.empty() ? nullptr : tree.documents.front().root);
            fail(found.place, found.message + " [" + problem.code + "]");
        }
        if (tree.documents.size() > 1) fail(ParsedSource::place(*tree.documents[1].root), "a second document begins here");
        if (out_.problems.empty() && !tree.documents.empty()) root(*tree.documents.front().root);
        if (!out_.problems.empty()) out_.connections.clear();
        return std::move(out_);
    }

private:
    void fail(Place place, std::string message) {
        out_.problems.push_back(overlay_finding(Severity::error, "secrets-file", file_, place, "the secrets cannot be used: " + std::move(message)));
    }
    void refuse(const Node& key, std::string message, std::string hint = {}) {
        Diagnostic found = overlay_finding(Severity::error, "secrets-entry", file_, ParsedSource::place(key), std::move(message), std::move(hint),
                                           key.is_scalar() ? key.text() : std::string_view{});
        found.connection = name_;
        at_->findings.push_back(std::move(found));
    }

    void root(const Node& node) {
        if (node.is_null()) return;
        if (!node.is_mapping()) return fail(ParsedSource::place(node), "a map of connections to what they lack must stand here");
        for (const auto [key, entries] : node.entries()) {
            if (!key.is_scalar()) {
                fail(ParsedSource::place(key), "the name of a connection must stand here");
                continue;
            }
            name_ = key.text();
            const auto [at, fresh] = out_.connections.try_emplace(name_);
            at_ = &at->second;
            if (fresh) at_->place = ParsedSource::place(key);
            if (!fresh)
                refuse(key, "the connection stands here twice, first in line " + std::to_string(at_->place.line), "put its entries together");
            else if (entries.is_mapping())
                options(entries, {});
            else if (!entries.is_null())
                refuse(key, "a connection must have a map of entries", "write `password: …` in a line of its own below it, indented");
        }
    }

    void options(const Node& map, const std::string& prefix) {
        for (const auto [key, value] : map.entries()) {
            if (!key.is_scalar() || !is_overlay_key(key.text())) {
                refuse(key, "what stands here cannot be the name of an option or member: one has letters, digits, '_', '-' and '.'",
                       "is the blank behind the ':' missing?");
                continue;
            }
            const std::string name = prefix + std::string{key.text()};
            if (value.is_mapping() && prefix.empty())
                options(value, name + ".");
            else if (!value.is_scalar())
                refuse(key, "the entry " + quoted_name(name) + " must be a text");
            else if (value.is_null() || value.text().empty())
                refuse(key, "the entry " + quoted_name(name) + " is empty", "take it out, or give the secret");
            else if (std::any_of(at_->entries.begin(), at_->entries.end(), [&](const OverlayEntry& one) { return one.key == name; }))
                refuse(key, "the entry " + quoted_name(name) + " stands here twice");
            else
                at_->entries.push_back({name, ParsedSource::place(key), Secret{value.text()}});
        }
    }

    const std::string& file_;
    OverlayText out_;
    std::string name_;
    OverlayConnection* at_{nullptr};
};

[[noreturn]] void refuse_edit(std::string_view connection, std::string_view key, const std::string& why) {
    throw Error{Errc::invalid_argument, "EDIT-ERROR",
                "adding " + std::string{key} + " of \"" + text::printable(connection) + "\" to the file of secrets failed: " + why}
        .with_reason(Reason::bad_value)
        .with_connection(connection);
}

/// Where a line begins.
std::size_t line_start(std::string_view text, std::size_t at) noexcept {
    const auto before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    return before == std::string_view::npos ? 0 : before + 1;
}

}  // namespace

const OverlayEntry* OverlayText::find(std::string_view connection, std::string_view key) const noexcept {
    const auto found = connections.find(connection);
    if (found == connections.end()) return nullptr;
    const auto& entries = found->second.entries;
    const auto entry = std::find_if(entries.begin(), entries.end(), [&](const OverlayEntry& one) { return one.key == key; });
    return entry == entries.end() ? nullptr : &*entry;
}

bool is_overlay_key(std::string_view s) noexcept {
    return !s.empty() &&
           std::all_of(s.begin(), s.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '_' || c == '-' || c == '.'; });
}

OverlayText parse_overlay(std::string_view text, const std::string& file) { return Reading{file}.run(text); }

Diagnostic overlay_finding(Severity severity, std::string code, const std::string& file, Place place, std::string message, std::string hint,
                           std::string_view key) {
    Diagnostic out;
    out.severity = severity;
    out.code = std::move(code);
    out.file = file;
    out.place = place;
    out.message = std::move(message);
    out.hint = std::move(hint);
    if (key.empty() || place.column == 0 || place.column > k_longest_shown) return out;
    // Not the line itself: what stands behind the key is secret.
    const std::string quoted = quoted_name(key);
    const std::string shown = quoted.substr(1, quoted.size() - 2);
    out.source_line = std::string(place.column - 1, ' ') + shown + ": …";
    out.shown_column = place.column;
    out.shown_length = static_cast<std::uint32_t>(std::max<std::size_t>(text::utf8_length(shown), 1));
    return out;
}

}  // namespace qconn::core

namespace qconn {

namespace {

/// The new text. Whether it came out as meant is not argued but looked up.
std::string verified(const core::OverlayText& before, std::string text, std::string_view connection, std::string_view key, std::string_view value,
                     std::size_t added) {
    const core::OverlayText after = core::parse_overlay(text, {});
    const core::OverlayEntry* const entry = after.find(connection, key);
    std::size_t count_before = added;
    std::size_t count_after = 0;
    for (const auto& [name, one] : before.connections) count_before += one.entries.size();
    for (const auto& [name, one] : after.connections) count_after += one.entries.size();
    if (!after.problems.empty() || !entry || entry->value.reveal() != value || count_after != count_before) {
        wipe(text);
        core::refuse_edit(connection, key, "the file is written in a way that cannot be changed so");
    }
    return text;
}

}  // namespace

std::string add_overlay_entry(std::string_view text, std::string_view connection, std::string_view key, std::string_view value) {
    const auto refuse = [&](const std::string& why) { core::refuse_edit(connection, key, why); };
    const core::OverlayText before = core::parse_overlay(text, {});
    if (!before.problems.empty()) refuse("line " + std::to_string(before.problems.front().place.line) + ": " + before.problems.front().message);
    if (before.find(connection, key)) refuse("it is there already");
    const std::string line = std::string{key} + ": " + yaml::text_scalar(value, true) + "\n";
    const auto tree = yaml::parse(text, core::k_limits);
    const yaml::Node* const root = tree.documents.empty() || tree.documents.front().root->is_null() ? nullptr : tree.documents.front().root;
    const yaml::Node* const entries = root ? root->find(connection) : nullptr;
    std::string out{text};
    if (entries && entries->is_mapping() && entries->size() > 0 && entries->style() == yaml::Style::block) {
        const std::size_t first = (*entries->entries().begin()).key.start().offset;
        const std::size_t at = core::line_start(text, first);
        if (text.find_first_not_of(' ', at) != first) refuse("its entries do not begin in a line of their own");
        out.insert(at, std::string(first - at, ' ') + line);
    } else if (entries || (root && root->style() != yaml::Style::block)) {
        refuse("the connection's entries are not written in lines of their own");
    } else {
        if (!out.empty() && out.back() != '\n') out += '\n';
        out += yaml::text_scalar(connection) + ":\n  " + line;
    }
    return verified(before, std::move(out), connection, key, value, 1);
}

std::string set_overlay_entry(std::string_view text, std::string_view connection, std::string_view key, std::string_view value) {
    const core::OverlayText before = core::parse_overlay(text, {});
    if (!before.problems.empty() || !before.find(connection, key)) return add_overlay_entry(text, connection, key, value);
    const auto tree = yaml::parse(text, core::k_limits);
    const yaml::Node* const entries = tree.documents.front().root->find(connection);
    const yaml::Node* const there = entries ? entries->find(key) : nullptr;
    const bool in_line =
        there && there->is_scalar() && !there->is_alias() && there->style() != yaml::Style::literal && there->style() != yaml::Style::folded;
    if (!in_line) core::refuse_edit(connection, key, "its value is not written in the line of its name");
    std::string out{text};
    const std::size_t begin = there->start().offset;
    out.replace(begin, there->end().offset - begin, yaml::text_scalar(value, true));
    return verified(before, std::move(out), connection, key, value, 0);
}

}  // namespace qconn
