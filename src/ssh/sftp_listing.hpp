// SPDX-License-Identifier: Apache-2.0
/// The entries of an open directory, several READDIRs at a time, with what symbolic links hold.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <qconn/file/file_transfer_client.hpp>

#include "ssh/sftp_call.hpp"
#include "ssh/sftp_download.hpp"
#include "ssh/sftp_session.hpp"

namespace qconn::sftp {

/// Of an entry, or of a file that was looked at.
FileInfo info_of(std::string name, const Attributes& attributes);

/// Where entries go. On the loop's thread.
class Taker {
public:
    virtual ~Taker() = default;
    /// @returns false where no more are wanted. What it throws ends the listing.
    virtual bool take(std::vector<FileInfo> entries) = 0;
    /// No more for the moment: Listing::pump is called when there is room again.
    virtual bool is_full() noexcept { return false; }
    virtual void set_pump(UniqueFunction<void()>) {}
};

class Listing final : public Receiver, public Awaited, public std::enable_shared_from_this<Listing> {
public:
    /// @param folder   its path, to look at links in it
    /// @param pattern  a shell glob; empty: all
    Listing(std::shared_ptr<Session> session, std::string handle, std::string folder, std::string pattern, Taker& taker);
    ~Listing() override;

    void pump();
    void detach() noexcept;

    std::optional<Refusal> refusal{};
    std::optional<Error> lost{};
    std::exception_ptr thrown{};  // of the taker
    bool begun{false};
    bool delivered{false};  ///< some entries

    void on_answer(std::uint64_t tag, const Packet& packet, const BlockRef& block) override;
    void on_lost(std::uint64_t tag, const Error& error, bool was_begun) override;

private:
    class Links;

    void on_names(const Packet& packet);
    void deliver(std::vector<FileInfo> entries);
    void link_answered(const std::shared_ptr<Links>& links);
    void malformed(std::string_view what);
    void finish_if_whole();
    void leave() noexcept;

    const std::shared_ptr<Session> session_;
    const std::string handle_;
    const std::string folder_;
    const std::string pattern_;
    Taker* taker_;
    std::size_t asked_{0};       // READDIRs under way
    std::size_t most_asked_{2};  // the second brings the end of a short directory
    std::size_t links_{0};       // batches that wait for what their links hold
    bool ended_{false};
    bool counted_{true};  // among the session's transfers
};

}  // namespace qconn::sftp
