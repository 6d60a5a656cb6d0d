// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_listing.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "file/glob.hpp"
#include "file/temporary_name.hpp"

namespace qconn::sftp {

namespace {

constexpr std::size_t k_most_readdirs = 8;
constexpr std::uint32_t k_permission_bits = 07777;

FileType type_of_mode(std::uint32_t mode) noexcept {
    if (S_ISREG(mode)) return FileType::file;
    if (S_ISDIR(mode)) return FileType::directory;
    return S_ISLNK(mode) ? FileType::symlink : FileType::other;
}

/// Of a line as `ls -l` has it, for servers that send no permissions.
FileType type_of_line(std::string_view line) noexcept {
    switch (line.empty() ? '?' : line.front()) {
        case '-': return FileType::file;
        case 'd': return FileType::directory;
        case 'l': return FileType::symlink;
        default: return FileType::other;
    }
}

/// It would lead elsewhere if it was used as one.
bool is_no_name(std::string_view name) noexcept { return name.empty() || name.find('/') != npos || name.find('\0') != npos; }

}  // namespace

FileInfo info_of(std::string name, const Attributes& attributes) {
    FileInfo info;
    info.name = std::move(name);
    info.size = attributes.size.value_or(0);
    if (attributes.permissions) {
        info.type = type_of_mode(*attributes.permissions);
        info.mode = *attributes.permissions & k_permission_bits;
    }
    if (attributes.owner) {
        info.uid = attributes.owner->uid;
        info.gid = attributes.owner->gid;
    }
    if (attributes.times) info.modified = std::chrono::system_clock::time_point{std::chrono::seconds{attributes.times->modified}};
    return info;
}

/// Entries of one answer, until it is known what the links among them hold.
class Listing::Links final : public Receiver, public std::enable_shared_from_this<Links> {
public:
    Links(std::shared_ptr<Listing> listing, std::vector<FileInfo> found) : entries{std::move(found)}, listing_{std::move(listing)} {}

    void ask() {
        ++open_;  // until all have been asked
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (entries[i].type != FileType::symlink) continue;
            ++open_;
            listing_->session_->send(path_request(PacketType::readlink, listing_->folder_ + '/' + entries[i].name), shared_from_this(), i);
        }
        answered();
    }
    void on_answer(std::uint64_t index, const Packet& packet, const BlockRef&) override {
        if (packet.type == PacketType::name) {
            const auto names = read_names(packet.body);
            if (!names || names->size() != 1) return listing_->malformed("the answer to READLINK is malformed");
            entries[index].target.emplace(names->front().name);
        }
        answered();  // a link that cannot be read, or has gone since, is still an entry
    }
    void on_lost(std::uint64_t, const Error& error, bool) override { listing_->on_lost(0, error, true); }

    std::vector<FileInfo> entries;

private:
    void answered() {
        if (--open_ == 0) listing_->link_answered(shared_from_this());
    }
    std::shared_ptr<Listing> listing_;
    std::size_t open_{0};
};

Listing::Listing(std::shared_ptr<Session> session, std::string handle, std::string folder, std::string pattern, Taker& taker)
    : session_{std::move(session)}, handle_{std::move(handle)}, folder_{std::move(folder)}, pattern_{std::move(pattern)}, taker_{&taker} {
    session_->enter_transfer();
}

Listing::~Listing() { leave(); }

void Listing::leave() noexcept {
    if (std::exchange(counted_, false)) session_->leave_transfer();
}

void Listing::detach() noexcept {
    if (taker_ != nullptr) taker_->set_pump(nullptr);
    taker_ = nullptr;
    leave();
}

void Listing::pump() {
    while (taker_ != nullptr && !ended_ && !is_done() && asked_ < most_asked_ && !taker_->is_full()) {
        ++asked_;
        session_->send(handle_request(PacketType::readdir, handle_), shared_from_this());
    }
}

void Listing::on_answer(std::uint64_t, const Packet& packet, const BlockRef&) {
    --asked_;
    begun = true;
    if (taker_ == nullptr || is_done()) return;
    if (packet.type == PacketType::name) return on_names(packet);
    const auto status = packet.type == PacketType::status ? read_status(packet.body) : std::nullopt;
    if (!status || status->code == StatusCode::ok) return malformed("the answer to READDIR is neither names nor a failure");
    // Behind the end, which another answer has told, a READDIR may fail as it likes.
    if (status->code != StatusCode::eof && !ended_) {
        refusal = Refusal{status->code, std::string{status->words}};
        return finish();
    }
    ended_ = true;
    finish_if_whole();
}

void Listing::on_names(const Packet& packet) {
    const auto names = read_names(packet.body);
    if (!names) return malformed("the answer to READDIR is malformed");
    if (names->empty()) ended_ = true;  // or it would go on for ever
    std::vector<FileInfo> entries;
    entries.reserve(names->size());
    bool has_links = false;
    for (const auto& one : *names) {
        if (is_no_name(one.name) || one.name == "." || one.name == "..") continue;
        if (file::is_temporary(one.name) && !file::asks_for_temporary(pattern_)) continue;
        std::string name{one.name};
        if (!file::is_wanted(pattern_, name.c_str())) continue;
        FileInfo info = info_of(std::move(name), one.attributes);
        if (!one.attributes.permissions) info.type = type_of_line(one.long_name);
        has_links = has_links || info.type == FileType::symlink;
        entries.push_back(std::move(info));
    }
    most_asked_ = k_most_readdirs;
    if (has_links) {
        ++links_;
        std::make_shared<Links>(shared_from_this(), std::move(entries))->ask();
    } else {
        deliver(std::move(entries));
    }
    if (taker_ == nullptr || is_done()) return;
    pump();
    finish_if_whole();
}

void Listing::link_answered(const std::shared_ptr<Links>& links) {
    --links_;
    if (taker_ == nullptr || is_done()) return;
    deliver(std::move(links->entries));
    if (taker_ == nullptr || is_done()) return;
    pump();
    finish_if_whole();
}

void Listing::deliver(std::vector<FileInfo> entries) {
    if (entries.empty()) return;
    delivered = true;
    bool more = false;
    try {
        more = taker_->take(std::move(entries));
    } catch (...) { thrown = std::current_exception(); }
    if (!more) finish();
}

void Listing::finish_if_whole() {
    if (ended_ && asked_ == 0 && links_ == 0 && !is_done()) finish();
}

void Listing::malformed(std::string_view what) {
    const auto self = shared_from_this();
    session_->fail_protocol(what);
    if (is_done() || taker_ == nullptr) return;
    lost = session_->end_error();
    finish();
}

void Listing::on_lost(std::uint64_t, const Error& error, bool was_begun) {
    if (taker_ == nullptr || is_done()) return;
    lost = error;
    begun = begun || was_begun;
    finish();
}

}  // namespace qconn::sftp
