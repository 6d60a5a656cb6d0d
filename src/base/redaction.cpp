// SPDX-License-Identifier: Apache-2.0
#include "base/redaction.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_map>

#include <qconn/base/url.hpp>

#include "base/text.hpp"

namespace qconn {

namespace {

constexpr std::size_t k_shortest = 2;
constexpr std::size_t k_short = 3;  // up to this only as a word of its own
constexpr std::size_t k_longest = 4096;
constexpr std::size_t k_shortest_cut = 4;
constexpr std::string_view k_cut = "…";

bool is_word(char c) noexcept { return text::is_alpha(c) || text::is_digit(c); }

/// Whether `secret` stands at this place of the text.
bool stands_at(std::string_view text, std::size_t at, std::string_view secret) noexcept {
    if (text.compare(at, secret.size(), secret) != 0) return false;
    if (secret.size() > k_short) return true;
    const std::size_t end = at + secret.size();
    return (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
}

/// As paths are sent: only what must be encoded is.
std::string path_encoded(std::string_view text) { return percent_encode(text, "!\"$%&'()*+,/:;<=>?@[\\]^`{|}"); }

/// What is in force, by connection. Weak: whoever holds a redaction keeps it here. None is released with the mutex held, as its end takes it.
struct Table {
    std::atomic<std::size_t> names{0};
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<std::weak_ptr<const Redaction>>> by_name;  // guarded by mutex
};

// Never destroyed: threads that end after main may still make errors.
Table& table() {
    static auto* instance = new Table;
    return *instance;
}

void drop_ended(Table& all, const std::string& connection) noexcept {
    const std::scoped_lock lock{all.mutex};
    const auto found = all.by_name.find(connection);
    if (found == all.by_name.end()) return;
    std::erase_if(found->second, [](const auto& one) { return one.expired(); });
    if (found->second.empty()) all.by_name.erase(found);
    all.names.store(all.by_name.size(), std::memory_order_relaxed);
}

}  // namespace

bool operator==(const Redaction& a, const Redaction& b) noexcept { return a.entries_ == b.entries_; }

void Redaction::add_form(std::string_view text, std::string_view reference) {
    text = text.substr(0, k_longest);
    // Paths are shown without doubled slashes and those at the end.
    while (text.starts_with('/')) text.remove_prefix(1);
    while (text.ends_with('/')) text.remove_suffix(1);
    if (text.size() < k_shortest) return;
    const auto place = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.text.reveal().size() <= text.size(); });
    for (auto same = place; same != entries_.end() && same->text.reveal().size() == text.size(); ++same)
        if (same->text.reveal() == text) return;
    entries_.insert(place, Entry{Secret{text}, std::string{reference}});
}

void Redaction::add(std::string_view secret, std::string_view reference) {
    const auto all_forms = [&](std::string_view text) {
        add_form(text, reference);
        for (std::string form : {text::to_lower(text), text::printable(text), percent_decode(text), percent_encode(text), path_encoded(text)}) {
            add_form(form, reference);
            wipe(form);
        }
    };
    secret = secret.substr(0, k_longest);
    all_forms(secret);
    if (secret.find_first_of(":@/?") == std::string_view::npos || secret.find_first_of(" \t\r\n") != std::string_view::npos) return;
    const auto url = Url::try_parse(secret);
    if (!url) return;
    all_forms(url->host);
    if (url->username) all_forms(*url->username);
    if (url->password) all_forms(url->password->reveal());
    all_forms(url->path);
    const std::string_view path = url->path;
    all_forms(path.substr(0, path.find('?')));
}

std::string Redaction::apply(std::string_view text) const {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        // References that are in their places already are no place to look for short secrets.
        const auto reference = text.substr(at, 2) != "${" ? entries_.end() : std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
            return text.substr(at).starts_with(entry.reference);
        });
        if (reference != entries_.end()) {
            out += reference->reference;
            at += reference->reference.size();
            continue;
        }
        const auto secret =
            std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return stands_at(text, at, entry.text.reveal()); });
        if (secret != entries_.end()) {
            out += secret->reference;
            at += secret->text.reveal().size();
            continue;
        }
        if (text.substr(at).starts_with(k_cut)) {
            for (const Entry& entry : entries_) {
                const std::string_view whole = entry.text.reveal();
                std::size_t size = std::min(whole.size(), out.size());
                while (size >= k_shortest_cut && !std::string_view{out}.ends_with(whole.substr(0, size))) --size;
                if (size < k_shortest_cut) continue;
                out.replace(out.size() - size, size, entry.reference);
                break;
            }
        }
        out += text[at++];
    }
    return out;
}

std::shared_ptr<const Redaction> publish(std::string_view connection, Redaction redaction) {
    if (redaction.empty()) return nullptr;
    Table& all = table();
    std::string name{connection};
    for (auto& known : redactions_of(connection))
        if (*known == redaction) return std::move(known);
    const std::shared_ptr<const Redaction> shared{new Redaction{std::move(redaction)}, [name](const Redaction* ended) {
                                                      delete ended;
                                                      drop_ended(table(), name);
                                                  }};
    const std::scoped_lock lock{all.mutex};
    all.by_name[name].push_back(shared);
    all.names.store(all.by_name.size(), std::memory_order_relaxed);
    return shared;
}

Redactions redactions_of(std::string_view connection) {
    Redactions live;
    Table& all = table();
    if (connection.empty() || all.names.load(std::memory_order_relaxed) == 0) return live;
    const std::scoped_lock lock{all.mutex};
    if (const auto found = all.by_name.find(std::string{connection}); found != all.by_name.end()) {
        for (const auto& one : found->second)
            if (auto known = one.lock()) live.push_back(std::move(known));
    }
    return live;
}

std::string redacted(std::string_view connection, std::string text) {
    for (const auto& one : redactions_of(connection)) {
        std::string clean = one->apply(text);
        wipe(text);
        text = std::move(clean);
    }
    return text;
}

}  // namespace qconn
