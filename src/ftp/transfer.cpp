// SPDX-License-Identifier: Apache-2.0
// Contents of files: fetched and sent.
#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "file/temporary_name.hpp"
#include "ftp/operations.hpp"

namespace qconn::ftp {
namespace {

using net::IoResult;

constexpr std::size_t k_transfer_block = std::size_t{256} * 1024;
/// Blocks that one call moves without waiting until others of its loop have a turn.
constexpr int k_blocks_at_once = 16;

std::optional<std::uint64_t> size_in(const FtpReply& reply) {
    if (reply.code != 213 || reply.lines.empty()) return std::nullopt;
    std::string_view text = reply.lines.front();
    while (text.starts_with(' ')) text.remove_prefix(1);
    std::uint64_t size = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (failed != std::errc{} || end == text.data()) return std::nullopt;
    return size;
}

/// Room for a block, without filling it first.
struct Block {
    explicit Block(std::optional<std::uint64_t> expected)
        : size{static_cast<std::size_t>(expected ? std::clamp<std::uint64_t>(*expected + 1, 4096, k_transfer_block) : k_transfer_block)},
          data{std::make_unique_for_overwrite<char[]>(size)} {}
    const std::size_t size;
    const std::unique_ptr<char[]> data;
};

/// Line ends of the network to ours, across pieces.
class FromNetwork {
public:
    std::string take(std::string_view piece) {
        std::string out;
        out.reserve(piece.size() + 1);
        for (const char c : piece) {
            if (held_ && c != '\n') out += '\r';
            held_ = c == '\r';
            if (!held_) out += c;
        }
        return out;
    }
    std::string_view rest() noexcept { return std::exchange(held_, false) ? "\r" : ""; }

private:
    bool held_{false};
};

/// Ours to those of the network; those that are so already stay.
class ToNetwork {
public:
    std::string take(std::string_view piece) {
        std::string out;
        out.reserve(piece.size() + piece.size() / 16);
        for (const char c : piece) {
            if (c == '\n' && !after_return_) out += '\r';
            out += c;
            after_return_ = c == '\r';
        }
        return out;
    }

private:
    bool after_return_{false};
};

/// The bytes of a download on their way to the sink.
struct Receiving {
    const Job& job;
    ByteSink& sink;
    const GetOptions& options;
    std::optional<std::uint64_t> all;
    bool ascii{false};
    std::uint64_t done{0};
    FromNetwork lines{};

    /// @returns whether more is wanted
    bool take(std::string_view piece) {
        std::string converted;
        if (ascii) piece = converted = lines.take(piece);
        return deliver(piece);
    }
    bool end() { return !ascii || deliver(lines.rest()); }

private:
    bool deliver(std::string_view piece) {
        piece = piece.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), options.most - done)));
        if (piece.empty()) return done < options.most;
        of_caller(job, [&] { sink.write(piece); });
        done += piece.size();
        if (options.progress) of_caller(job, [&] { options.progress(options.from + done, all); });
        return done < options.most;
    }
};

/// @returns whether it came to its end; false: no more is wanted
Task<bool> receive(Session& session, Call& call, Transfer& transfer, Receiving& to, Reason otherwise) {
    const Block block{to.all};
    int turns = 0;
    for (;;) {
        call.check();
        std::size_t used = 0;
        std::optional<net::Ready> blocked;
        bool ended = false;
        std::optional<Error> broken;
        while (used < block.size && !blocked && !ended && !broken) {  // TLS gives small pieces
            auto step = transfer.data->read_some(block.data.get() + used, block.size - used);
            switch (step.kind) {
                case IoResult::Kind::done: used += step.size; break;
                case IoResult::Kind::want_read: blocked = net::Ready::read; break;
                case IoResult::Kind::want_write: blocked = net::Ready::write; break;
                case IoResult::Kind::closed: ended = true; break;
                case IoResult::Kind::failed: broken = std::move(step.error); break;
            }
        }
        transfer.bytes += used;
        const bool more = used == 0 || to.take({block.data.get(), used});
        if (!more) co_return false;
        if (broken) {
            std::optional<Error> error = std::move(broken);
            co_await session.explain(call, transfer, std::move(error), otherwise);
        }
        if (ended) co_return true;
        if (blocked) {
            turns = 0;
            const net::Ready side = *blocked;
            co_await session.wait_data(call, transfer, side, otherwise);
        } else if (++turns >= k_blocks_at_once) {
            turns = 0;
            co_await Turn{call};
            co_await session.keep_alive(call, transfer);  // it may never have to wait
        }
    }
}

/// All that the source has, from where it stands. @returns how much that was
Task<std::uint64_t> send_all(Session& session, Call& call, Transfer& transfer, ByteSource& source, const PutOptions& options, std::uint64_t from,
                             Reason otherwise) {
    const Job& job = call.job();
    const auto all = of_caller(job, [&] { return source.size(); });
    const Block block{all ? std::optional{*all - std::min(*all, from)} : std::nullopt};
    const bool ascii = session.settings().options.ascii;
    ToNetwork lines;
    std::string converted;
    std::uint64_t done = 0;
    int turns = 0;
    for (;;) {
        call.check();
        const std::size_t got = of_caller(job, [&] { return source.read(block.data.get(), block.size); });
        if (got == 0) break;
        std::string_view piece{block.data.get(), got};
        if (ascii) piece = converted = lines.take(piece);
        while (!piece.empty()) {
            auto step = transfer.data->write_some(piece);
            if (step.kind == IoResult::Kind::done) {
                piece.remove_prefix(step.size);
                transfer.bytes += step.size;
            } else if (step.kind == IoResult::Kind::want_read || step.kind == IoResult::Kind::want_write) {
                turns = 0;
                if (transfer.outcome)  // the server has said that it is over, and takes no more
                    throw failure(job, FtpErrc::transfer, Reason::closed, "the server ended the transfer before all was sent", Phase::body)
                        .with_retryable(true);
                const auto side = step.kind == IoResult::Kind::want_read ? net::Ready::read : net::Ready::write;
                co_await session.wait_data(call, transfer, side, otherwise);
            } else {
                std::optional<Error> broken = std::move(step.error);
                co_await session.explain(call, transfer, std::move(broken), otherwise);
            }
        }
        done += got;
        if (options.progress) of_caller(job, [&] { options.progress(from + done, all); });
        if (++turns >= k_blocks_at_once) {
            turns = 0;
            co_await Turn{call};
            co_await session.keep_alive(call, transfer);  // it may never have to wait
        }
    }
    for (;;) {
        const auto step = transfer.data->finish_writing();
        if (step.kind == IoResult::Kind::done) break;
        co_await session.wait_data(call, transfer, net::Ready::write, otherwise);
    }
    co_return done;
}

/// Puts the source to where the transfer begins.
bool seek_source(const Job& job, ByteSource& source, std::uint64_t from) {
    return of_caller(job, [&] { return source.seek(from); });
}

void seek_to_begin(const Job& job, ByteSource& source) {
    if (!seek_source(job, source, 0))
        throw failure(job, FtpErrc::failed, Reason::unsupported, "the source cannot be read from the beginning", Phase::none);
}

/// One STOR or APPE from its command to its confirmation. @returns the bytes sent
Task<std::uint64_t> send_file(Session& session, Call& call, std::string line, const std::string& path, ByteSource& source, const PutOptions& options,
                              std::uint64_t from) {
    std::optional<Error> refused;
    std::optional<Transfer> transfer;
    try {
        Transfer begun = co_await session.begin(call, std::move(line), 0, Reason::permission);
        transfer.emplace(std::move(begun));
    } catch (const Error& error) { refused = error; }
    if (refused) {
        // vsftpd says the same where the directory is missing.
        const std::string folder = tidy_path(folder_of(path));
        if (refused->reason() == Reason::permission && session.is_clean() && !folder.empty()) {
            const bool there = co_await is_directory(session, call, folder);
            if (!there) refused->with_reason(Reason::not_found);
        }
        throw *refused;
    }
    const std::uint64_t done = co_await send_all(session, call, *transfer, source, options, from, Reason::permission);
    co_await session.finish(call, *transfer, Reason::permission);
    co_return done;
}

void check_size(const Call& call, const FtpReply& reply, std::uint64_t expected) {
    const auto size = size_in(reply);
    if (!size || *size == expected) return;  // not every server has SIZE
    throw failure(call.job(), FtpErrc::transfer, Reason::closed,
                  "the server has " + std::to_string(*size) + " bytes of the " + std::to_string(expected) + " that were sent", Phase::body)
        .with_retryable(true);
}

/// Where a transfer that is gone on with begins. The source stands there.
Task<std::uint64_t> resume_point(Session& session, Call& call, const std::string& part, ByteSource& source) {
    FtpReply got = co_await session.ask_and_prepare(call, line_of("SIZE", part));
    const std::uint64_t from = size_in(got).value_or(0);
    const auto all = of_caller(call.job(), [&] { return source.size(); });
    const bool fits = from > 0 && !(all && from > *all);
    if (fits && seek_source(call.job(), source, from)) co_return from;
    seek_to_begin(call.job(), source);
    co_return 0;
}

Task<std::uint64_t> put_new(Session& session, Call& call, const std::string& path, ByteSource& source, const PutOptions& options) {
    const Job& job = call.job();
    const bool ascii = session.settings().options.ascii;
    if (options.mode == WriteMode::create) {
        const bool there = co_await exists(session, call, path);
        if (there) throw failure(job, FtpErrc::failed, Reason::exists, "it is there already; remove it first, or allow replacing it");
    }
    std::string temporary{folder_of(path)};
    temporary += options.resume ? file::part_name(name_of(path)) : file::temporary_name();
    std::uint64_t from = 0;
    if (options.resume && !ascii)
        from = co_await resume_point(session, call, temporary, source);
    else
        seek_to_begin(job, source);
    if (!options.resume) session.unfinished = temporary;

    std::string line = line_of(from > 0 ? "APPE" : "STOR", temporary);
    const std::uint64_t done = co_await send_file(session, call, std::move(line), path, source, options, from);

    co_await change(session, call, temporary, options.attributes, Lacking::is_left_out);
    // RNFR changes nothing by itself.
    line = line_of("SIZE", temporary) + "\r\n" + line_of("RNFR", temporary) + "\r\n";
    if (ascii) line = line_of("RNFR", temporary) + "\r\n";
    co_await session.send(call, std::move(line));
    FtpReply size;
    if (!ascii) size = co_await session.reply(call, "SIZE");
    FtpReply named = co_await session.reply(call, "RNFR");
    if (!ascii) check_size(call, size, from + done);
    if (named.code / 100 != 3) throw refusal(job, "RNFR", named, Reason::permission);
    line = line_of("RNTO", path);
    FtpReply renamed = co_await session.command(call, std::move(line));
    if (!is_positive(renamed)) {
        const bool directory = co_await is_directory(session, call, path);
        if (directory) throw failure(job, FtpErrc::path, Reason::bad_value, "it is a directory; the path has to name the file in it", Phase::none);
        if (options.mode != WriteMode::replace) throw refusal(job, "RNTO", renamed, Reason::permission);
        co_await rename_over(session, call, temporary, path, renamed);
    }
    session.unfinished.clear();
    co_return done;
}

}  // namespace

Task<std::uint64_t> get(Session& session, Call& call, const std::string& path, ByteSink& sink, const GetOptions& options) {
    const Job& job = call.job();
    check_path(job, path);
    const bool ascii = session.settings().options.ascii;
    std::optional<std::uint64_t> size;
    if (!ascii) {
        FtpReply got = co_await session.ask_and_prepare(call, line_of("SIZE", path));
        size = size_in(got);
    }
    if (size && (options.from >= *size || options.most == 0) && (options.from > 0 || options.most == 0)) {
        if (options.progress) of_caller(job, [&] { options.progress(options.from, size); });
        co_return 0;
    }
    const Reason otherwise = size ? Reason::permission : Reason::not_found;
    std::string line = line_of("RETR", path);
    Transfer transfer = co_await session.begin(call, std::move(line), options.from, otherwise);
    Receiving receiving{job, sink, options, size, ascii};
    const bool whole = co_await receive(session, call, transfer, receiving, otherwise);
    const bool wanted = whole && receiving.end();
    if (!whole || !wanted) {
        // No more is wanted. Where all has come anyway, the server ends it by itself.
        const bool all_here = size && options.from + receiving.done >= *size;
        if (!all_here) {
            transfer.data->abort();
            co_await session.recover(call);
            co_return receiving.done;
        }
    }
    transfer.data.reset();  // ProFTPD waits for that before it says that it is over
    co_await session.finish(call, transfer, otherwise);
    if (size && receiving.done < std::min(options.most, *size - std::min(options.from, *size)))
        throw failure(job, FtpErrc::transfer, Reason::closed,
                      "only " + std::to_string(options.from + receiving.done) + " of " + std::to_string(*size) + " bytes came", Phase::body)
            .with_retryable(true);
    co_return receiving.done;
}

Task<std::uint64_t> put(Session& session, Call& call, const std::string& path, ByteSource& source, const PutOptions& options) {
    const Job& job = call.job();
    check_path(job, path);
    if (path.ends_with('/')) throw failure(job, FtpErrc::path, Reason::bad_value, "the path is that of a directory", Phase::none);
    std::uint64_t done = 0;
    if (options.mode == WriteMode::replace || options.mode == WriteMode::create) {
        done = co_await put_new(session, call, path, source, options);
        co_return done;
    }
    const bool append = options.mode == WriteMode::append;
    seek_to_begin(job, source);
    std::string line = line_of(append ? "APPE" : "STOR", path);
    done = co_await send_file(session, call, std::move(line), path, source, options, 0);
    if (!append && !session.settings().options.ascii) {
        line = line_of("SIZE", path);
        FtpReply size = co_await session.command(call, std::move(line));
        check_size(call, size, done);
    }
    co_await change(session, call, path, options.attributes, Lacking::is_left_out);
    co_return done;
}

}  // namespace qconn::ftp
