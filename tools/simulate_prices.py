"""Make data/simulated_prices.csv: an invented share whose next return nobody can predict.

    python tools/simulate_prices.py

It has the trading days and the zero-volume days of the real series (or, without real prices, those of the file that is there)
and nothing else of it. Returns have mean zero and a volatility that comes in clusters, GARCH(1,1) with Student-t shocks
(Bollerslev 1986, 1987); so prices are a martingale: the best forecast of tomorrow is today.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
import helpers  # noqa: E402

DAILY_VOLATILITY, ALPHA, BETA, DEGREES = 0.018, 0.06, 0.92, 6


def main(seed=4):  # a path that ends about as far above its start as a large company would hope
    prices = helpers.load_stock()[["Date", "Volume"]]
    traded = prices["Volume"].to_numpy() > 0
    rng = np.random.default_rng(seed)
    shocks = rng.standard_t(DEGREES, len(prices)) * np.sqrt((DEGREES - 2) / DEGREES)

    variance, returns = DAILY_VOLATILITY**2, np.zeros(len(prices))
    for day in range(1, len(prices)):
        if traded[day]:
            returns[day] = np.clip(np.sqrt(variance) * shocks[day], -0.29, 0.29)
            variance = (
                (1 - ALPHA - BETA) * DAILY_VOLATILITY**2
                + ALPHA * returns[day] ** 2
                + BETA * variance
            )

    close = 20_000 * np.cumprod(1 + returns)
    previous = np.r_[close[0], close[:-1]]
    opening = np.where(traded, previous * (1 + rng.normal(0, 0.003, len(close))), close)
    spread = np.where(traded, np.abs(rng.normal(0, 0.008, (2, len(close)))), 0)
    prices["Open"] = opening
    prices["High"] = np.maximum(opening, close) * (1 + spread[0])
    prices["Low"] = np.minimum(opening, close) * (1 - spread[1])
    prices["Close"] = prices["Adj Close"] = close
    prices["Volume"] = np.where(traded, np.exp(rng.normal(16.5, 0.5, len(close))), 0).astype(int)
    target = ROOT / "data" / "simulated_prices.csv"
    prices[["Date", *helpers.STOCK_COLUMNS]].to_csv(target, index=False, float_format="%.2f")
    print(
        f"{target.relative_to(ROOT)}: {len(prices):,} days, {(~traded).sum()} without volume, "
        f"close {close.min():,.0f} to {close.max():,.0f}"
    )


if __name__ == "__main__":
    main()
