// SPDX-License-Identifier: Apache-2.0
#include "ssh/sftp_replace.hpp"

#include <utility>

#include "base/text.hpp"
#include "file/temporary_name.hpp"

namespace qconn::sftp {

namespace {

/// What is under way, by its names.
struct Exchange {
    std::string from;
    std::string to;
    std::string aside;  // what was there, meanwhile
    bool temporary;

    std::string where() const {
        std::string words = "; if \"" + text::printable(to) + "\" is missing, what it was is in \"" + text::printable(aside) + '"';
        if (temporary) words += ", and what it was to be in \"" + text::printable(from) + '"';
        return words;
    }
};

/// The server does what it is asked in order: what is still on its way comes first.
/// @returns whether something has the name now
Task<bool> put_back(Call& call, std::shared_ptr<Session> session, Exchange names) {
    if (!session->is_open()) co_return false;
    Pending back = call.send(session, two_paths_request(PacketType::rename, names.aside, names.to));
    Pending looked = call.send(session, path_request(PacketType::lstat, names.to));
    const Answer answer = co_await call.answer(back);
    const Answer look = co_await call.answer(looked);
    if (look.type != PacketType::attrs) co_return false;
    const auto status = answer.type == PacketType::status ? read_status(answer.body) : std::nullopt;
    // Otherwise it has been replaced after all, or was never moved.
    if (!status || status->code != StatusCode::ok) co_await remove_quietly(call, session, names.aside);
    if (names.temporary) co_await remove_quietly(call, session, names.from);
    co_return true;
}

Task<void> put_back_later(Call& call, std::shared_ptr<Session> session, Exchange names) {
    co_await put_back(call, std::move(session), std::move(names));
}

}  // namespace

Task<void> replace(const Remote& remote, std::string from, std::string to, bool temporary) {
    Call& call = remote.call;
    Exchange names{std::move(from), std::move(to), {}, temporary};
    names.aside = std::string{folder_of(names.to)} + file::temporary_name();
    std::optional<Error> error;
    bool untouched = false;
    try {
        Pending moved = remote.send(two_paths_request(PacketType::rename, names.to, names.aside));
        const Answer moving = co_await call.answer(moved);
        const auto kept = remote.refusal(moving);
        untouched = kept.has_value();
        if (kept && kept->code != StatusCode::no_such_file) throw remote.error(*kept);
        Pending renamed = remote.send(two_paths_request(PacketType::rename, names.from, names.to));
        const Answer answer = co_await call.answer(renamed);
        const auto refused = remote.refusal(answer);
        if (!refused) {
            if (kept) co_return;  // it had gone
            call.engine().tidy("removing what was replaced by", call.path(),
                               [session = remote.session, aside = names.aside](Call& later) { return remove_quietly(later, session, aside); });
            co_return;
        }
        error = remote.error(*refused);
    } catch (const Error& thrown) { error = thrown; }
    if (untouched) {
        if (names.temporary) co_await take_away(remote, names.from);
        throw *error;
    }
    bool is_back = false;
    if (call.is_stopped()) {
        call.engine().tidy("putting back what was to be replaced by", call.path(),
                           [session = remote.session, names](Call& later) { return put_back_later(later, session, names); });
    } else {
        try {
            is_back = co_await put_back(call, remote.session, names);
        } catch (const Error&) {}
    }
    if (is_back) throw *error;
    Error told = with_addition(*error, names.where());
    throw told;
}

}  // namespace qconn::sftp
