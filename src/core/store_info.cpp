// SPDX-License-Identifier: Apache-2.0
/// What a store tells about its connections. Nothing secret leaves here except by definition().
#include <algorithm>
#include <tuple>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "core/mask.hpp"
#include "core/monitoring_rules.hpp"
#include "core/secret_overlay.hpp"
#include "core/secret_ref.hpp"
#include "core/silence_form.hpp"
#include "core/store.hpp"
#include "core/store_commit.hpp"

namespace qconn::core {
namespace {

std::string scheme_of(std::string_view url) {
    const std::size_t end = url.find("://");
    return end == std::string_view::npos ? std::string{} : text::to_lower(url.substr(0, end));
}

std::string host_key_of(std::string_view text_of_url, const Scheme* scheme) {
    const SecretTokens tokens{text_of_url};
    const auto parts = split_urls(tokens.opaque());
    if (parts.empty()) return {};
    const Result<Url> url = Url::try_parse(parts.front());
    if (!url || url.value().host.empty()) return {};
    if (url.value().is_socket) return url.value().host;
    std::uint16_t port = url.value().port.value_or(0);
    if (port == 0 && scheme)
        if (const auto found = scheme->default_ports.find(url.value().scheme); found != scheme->default_ports.end()) port = found->second;
    return text::to_lower(url.value().host) + ":" + std::to_string(port);
}

std::chrono::system_clock::time_point time_of(std::int64_t nanoseconds) {
    return std::chrono::system_clock::time_point{
        std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds{nanoseconds})};
}

}  // namespace

template <class Function>
void Store::for_each(Function&& function) const {
    const std::uint64_t epoch = hub_->epoch.load(std::memory_order_seq_cst);
    for (const auto& part : shards_) {
        const Shard* shard = part.load(std::memory_order_seq_cst);
        if (!shard) continue;
        for (const auto& slot : shard->slots()) {
            const Version* version = slot->current(epoch);
            if (version && !version->has(Version::k_removed)) function(slot, *version);
        }
    }
}

std::string Store::file_of(const Slot& slot, const Version& version) const {
    if (!version.directory) return {};
    return *version.directory + unpack_extra(version.extra(), usual_file(slot.name())).file;
}

Definition Store::materialise(const Slot& slot, const Version& version) const {
    Definition definition = unpack_content(version.content(), version.scheme);
    definition.name = slot.name();
    definition.file = file_of(slot, version);
    definition.place = unpack_extra(version.extra()).place;
    return definition;
}

SlotView Store::view_of(const std::shared_ptr<Slot>& slot, const Version& version) const {
    SlotView view;
    view.name = slot->name();
    view.slot = slot;
    view.enabled = version.has(Version::k_enabled);
    view.monitored = version.has(Version::k_monitored);
    view.locked = version.has(Version::k_locked);
    view.validity = version.validity();
    Extra extra = unpack_extra(version.extra());
    view.problem = std::move(extra.problem);
    view.entry = version.scheme;
    view.build = version.build;
    Essentials essentials = unpack_essentials(version.content(), version.scheme);
    view.scheme = scheme_of(essentials.url);
    view.host_key = host_key_of(essentials.url, version.scheme);
    apply_monitoring(essentials.options, view.monitoring);
    if (const auto& set = extra.set.monitoring) apply_monitoring(*set, view.monitoring);
    view.silence = silence_of(extra.set.silence, std::chrono::system_clock::now());
    if (extra.set.acknowledged) view.acknowledged = acknowledgement_of(*extra.set.acknowledged);
    wipe(essentials.url);
    return view;
}

ConnectionInfo Store::info_of(const Slot& slot, const Version& version) const {
    Definition definition = materialise(slot, version);
    Extra extra = unpack_extra(version.extra());
    ConnectionInfo info;
    info.name = slot.name();
    info.description = std::move(definition.description);
    Definition shown = masked(definition, version.scheme, catalogue_->secrets());
    info.url = std::move(shown.url);
    info.scheme = scheme_of(definition.url);
    if (overlay_) info.local_secrets = overlay_origins(definition, *overlay_->state());
    wipe(definition.url);
    if (version.scheme && !version.scheme->clients.empty()) info.type = version.scheme->clients.front().name;
    info.validity = version.validity();
    info.problem = std::move(extra.problem);
    info.enabled = version.has(Version::k_enabled);
    info.monitored = version.has(Version::k_monitored);
    info.locked = version.has(Version::k_locked);
    info.debug_data = version.has(Version::k_debug_data);
    info.tags = extra.set.tags ? std::move(*extra.set.tags) : std::move(definition.tags);
    if (extra.set.monitoring) info.monitoring = std::move(*extra.set.monitoring);
    info.silence = silence_of(extra.set.silence, std::chrono::system_clock::now());
    if (extra.set.acknowledged) info.acknowledged = acknowledgement_of(*extra.set.acknowledged);
    info.file = std::move(definition.file);
    info.place = definition.place;
    info.updated = time_of(version.updated);

    std::vector<Map::Entry> options;
    for (auto& [name, value] : shown.options)
        if (!value.is_null()) options.emplace_back(name, std::move(value));
    if (version.scheme)
        for (const OptionSpec& spec : version.scheme->options)
            if (!spec.fallback.is_null() && !definition.options.contains(spec.name)) options.emplace_back(spec.name, spec.fallback);
    std::sort(options.begin(), options.end(), [](const Map::Entry& a, const Map::Entry& b) { return a.first < b.first; });
    for (auto& [name, value] : options) info.options.insert(std::move(name), std::move(value));
    return info;
}

std::vector<std::shared_ptr<Slot>> Store::slots() const {
    std::vector<std::shared_ptr<Slot>> slots;
    {
        const ReadSection section;
        slots.reserve(size());
        for_each([&](const std::shared_ptr<Slot>& slot, const Version&) { slots.push_back(slot); });
    }
    std::sort(slots.begin(), slots.end(), [](const auto& a, const auto& b) { return a->name() < b->name(); });
    return slots;
}

std::optional<SlotView> Store::view(std::string_view name) const {
    const ReadSection section;
    const auto* slot = find(name, hash_of(name));
    const Version* version = slot ? (*slot)->current() : nullptr;
    if (!version || version->has(Version::k_removed)) return std::nullopt;
    return view_of(*slot, *version);
}

std::string Store::configuration(const std::shared_ptr<Slot>& slot) const {
    const ReadSection section;
    const Version* version = slot->current();
    if (!version || version->has(Version::k_removed)) return {};
    Definition definition = materialise(*slot, *version);
    Definition shown = masked(definition, version->scheme, catalogue_->secrets());
    wipe(definition.url);
    for (const OptionSpec& rule : monitoring_options().specs()) shown.options.erase(rule.name);
    std::vector<Map::Entry> options{shown.options.begin(), shown.options.end()};
    std::sort(options.begin(), options.end(), [](const Map::Entry& a, const Map::Entry& b) { return a.first < b.first; });
    std::string text = std::move(shown.url);
    for (const auto& [name, value] : options) text += '\n' + name + '=' + json::encode(value, false, json::Unfit::as_text);
    return text;
}

std::optional<SlotView> Store::view(const std::shared_ptr<Slot>& slot) const {
    const ReadSection section;
    const Version* version = slot->current();
    if (!version || version->has(Version::k_removed)) return std::nullopt;
    return view_of(slot, *version);
}

std::vector<std::string> Store::names() const {
    std::vector<std::string> names;
    {
        const ReadSection section;
        names.reserve(size());
        for_each([&](const std::shared_ptr<Slot>& slot, const Version&) { names.push_back(slot->name()); });
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool Store::contains(std::string_view name) const {
    const ReadSection section;
    const auto* slot = find(name, hash_of(name));
    const Version* version = slot ? (*slot)->current() : nullptr;
    return version && !version->has(Version::k_removed);
}

ConnectionInfo Store::info(std::string_view name) const {
    ConnectionInfo info;
    {
        const ReadSection section;
        const Version* version = nullptr;
        const Slot& slot = at(name, version);
        info = info_of(slot, *version);
    }
    info.retired_clients = retired_->count(name);
    return info;
}

std::vector<ConnectionInfo> Store::infos() const {
    std::vector<ConnectionInfo> infos;
    {
        const ReadSection section;
        infos.reserve(size());
        for_each([&](const std::shared_ptr<Slot>& slot, const Version& version) { infos.push_back(info_of(*slot, version)); });
    }
    for (ConnectionInfo& info : infos) info.retired_clients = retired_->count(info.name);
    std::sort(infos.begin(), infos.end(), [](const ConnectionInfo& a, const ConnectionInfo& b) { return a.name < b.name; });
    return infos;
}

Definition Store::definition(std::string_view name) const {
    const ReadSection section;
    const Version* version = nullptr;
    const Slot& slot = at(name, version);
    Definition definition = materialise(slot, *version);
    if (overlay_) SecretOverlay::strip(definition);
    return definition;
}

Standing Store::standing(bool for_plan) const {
    Standing standing{&known_files_, {}};
    std::string path;
    {
        const ReadSection section;
        standing.connections.reserve(size());
        for_each([&](const std::shared_ptr<Slot>& slot, const Version& version) {
            if (!version.directory || version.has(Version::k_from_code)) return;
            const Extra extra = unpack_extra(version.extra(), usual_file(slot->name()));
            const bool differs = version.validity() != Validity::valid || extra.file_hash != 0 || extra.problem_hash != 0 ||
                                 (for_plan && (by_code(version.flags) != 0 || !extra.set.empty()));
            (path = *version.directory) += extra.file;
            standing.connections.push_back({KnownFiles::hash_path(path), slot, extra.place, differs});
        });
    }
    std::sort(standing.connections.begin(), standing.connections.end(), [](const StandingConnection& a, const StandingConnection& b) {
        return std::tuple{a.path_hash, a.place.line, a.place.column} < std::tuple{b.path_hash, b.place.line, b.place.column};
    });
    return standing;
}

std::vector<std::string> Store::secret_files() const {
    std::vector<std::string> files;
    if (overlay_) files.push_back(overlay_->path());
    {
        const ReadSection section;
        for_each([&](const std::shared_ptr<Slot>& slot, const Version& version) {
            if (version.content().find("${file:") == std::string_view::npos) return;
            const auto in = secrets_->files_in(materialise(*slot, version));
            files.insert(files.end(), in.begin(), in.end());
        });
    }
    std::sort(files.begin(), files.end());
    files.erase(std::unique(files.begin(), files.end()), files.end());
    return files;
}

void Store::count(LoadReport& report) const {
    const ReadSection section;
    for_each([&](const std::shared_ptr<Slot>&, const Version& version) {
        if (version.validity() == Validity::invalid) ++report.invalid;
        if (version.validity() == Validity::stale) ++report.stale;
    });
}

}  // namespace qconn::core
