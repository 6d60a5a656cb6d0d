# SPDX-License-Identifier: Apache-2.0
"""A small shop whose description is made from its code. Answers of /v1/orders say what it was asked for; those of /v1/broken are not as described."""
from datetime import date
from enum import Enum
from typing import List, Literal, Optional, Union

from fastapi import Cookie, FastAPI, Header, Path, Query
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, Field

try:
    from typing import Annotated
except ImportError:
    from typing_extensions import Annotated


class Status(str, Enum):
    open = "open"
    paid = "paid"


class Card(BaseModel):
    kind: Literal["card"]
    number: str = Field(regex=r"^\d{4}$")


class Transfer(BaseModel):
    kind: Literal["transfer"]
    iban: str = Field(min_length=5)


class Line(BaseModel):
    sku: str = Field(regex=r"^[A-Z]-\d+$", max_length=6)
    count: int = Field(ge=1, lt=1000)


class Order(BaseModel):
    lines: List[Line] = Field(min_items=1)
    payment: Annotated[Union[Card, Transfer], Field(discriminator="kind")]
    due: Optional[date] = None
    part_of: Optional["Order"] = None

    class Config:
        extra = "forbid"


Order.update_forward_refs()


class Placed(BaseModel):
    id: int
    status: Status
    order: Order


class Asked(BaseModel):
    status: List[Status]
    limit: int
    request: Optional[str]
    session: Optional[str]


api = FastAPI(title="Shop", version="1.4")
app = FastAPI(openapi_url=None)
app.mount("/v1", api)


@api.get("/orders", operation_id="listOrders", summary="Orders by status", response_model=Asked, response_model_exclude_none=True)
def list_orders(
    status: List[Status] = Query([]),
    limit: int = Query(10, ge=1, le=100),
    x_request_id: Optional[str] = Header(None),
    session: Optional[str] = Cookie(None),
):
    return {"status": status, "limit": limit, "request": x_request_id, "session": session}


@api.post("/orders", operation_id="addOrder", status_code=201, response_model=Placed, response_model_exclude_none=True)
def add_order(order: Order):
    return {"id": 17, "status": "open", "order": order}


@api.get("/orders/{id}", operation_id="getOrder", response_model=int)
def get_order(id: int = Path(ge=1)):
    return id


@api.get("/files/{name}", operation_id="getFile", response_class=PlainTextResponse)
def get_file(name: str):
    return name


@api.get("/broken", operation_id="broken", response_model=Asked)
def broken():
    return JSONResponse({"status": ["lost"], "limit": "ten"})
