"""What the gate relies on in Streamlit though nobody promises it: each fails loudly when a new version differs."""

import uuid
from threading import Lock
from types import SimpleNamespace

import pytest
import streamlit as st
from starlette.datastructures import Headers
from streamlit import config
from streamlit.proto.DownloadButton_pb2 import DownloadButton
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.web.server.starlette import starlette_routes
from streamlit.web.server.starlette.starlette_websocket import gather_user_info

from pages._gate.belongings import Belongings
from pages._gate.gate import SIGN_IN_ID
from pages._gate.index import index


def test_streamlit_is_the_version_this_was_written_for() -> None:
    assert st.__version__.split(".")[:2] == ["1", "67"]


def test_the_identity_header_is_a_trusted_one_and_reaches_the_session() -> None:
    assert config.get_option("server.trustedUserHeaders") == {SIGN_IN_ID: "sign_in"}
    assert gather_user_info(Headers({SIGN_IN_ID: "abc"})) == {"sign_in": "abc"}


@pytest.mark.parametrize(("mine", "theirs", "same"), [("a", "a", True), ("a", "b", False)])
def test_a_session_is_resumed_by_the_same_sign_in_only(mine: str, theirs: str, same: bool) -> None:
    session = SimpleNamespace(_user_info={"sign_in": mine}, _user_info_lock=Lock(), _resumable=True)
    assert AppSession.matches_user_info(session, {"sign_in": theirs}) is same  # type: ignore[arg-type]


def test_downloads_and_uploads_have_the_routes_the_gate_guards() -> None:
    assert starlette_routes.BASE_ROUTE_MEDIA == "media"
    assert starlette_routes.BASE_ROUTE_UPLOAD_FILE == "_stcore/upload_file"


@pytest.mark.parametrize("size", [1, 3_000_000])
def test_the_address_of_a_download_is_learnt_from_its_frame(size: int) -> None:
    storage = MemoryMediaFileStorage("/media")
    file_id = storage.load_and_get_id(b"x" * size, "text/csv", kind="downloadable", filename="a.csv")  # type: ignore[arg-type]
    url = storage.get_url(file_id)
    message = ForwardMsg()
    message.delta.new_element.download_button.CopyFrom(DownloadButton(url=url, label="2"))
    known = Belongings()
    known.learn("me", message.SerializeToString())
    assert known.allow("me", url)
    assert not known.allow("you", url)


def test_the_address_of_an_upload_slot_is_learnt_from_its_frame() -> None:
    uploads = MemoryUploadedFileManager("/_stcore/upload_file")
    slot = uploads.get_upload_urls(str(uuid.uuid4()), ["a.csv"])[0]
    message = ForwardMsg()
    message.file_urls_response.file_urls.add(file_id=slot.file_id, upload_url=slot.upload_url)
    known = Belongings()
    known.learn("me", message.SerializeToString())
    assert known.allow("me", slot.upload_url)


def test_streamlits_start_page_is_the_one_ours_is_made_from() -> None:
    assert "/start.js" in index("en")
