using Microsoft.Extensions.Time.Testing;
using Shop.Payments.CallingProvider;

namespace Shop.Payments.Tests;

/// <summary>Room for calls: who has waited too long gives way to who waits for room.</summary>
public sealed class CallRoomTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Hanging_calls_give_up_their_places_and_others_keep_theirs()
    {
        var room = new CallRoom(3, _time);
        room.Claimed(3, 3);
        var hanging = new[] { room.Enter(default), room.Enter(default) };
        _time.Advance(CallRoom.Patience);
        var young = room.Enter(default);
        Assert.Equal(0, room.Free);

        room.GiveUpHanging();

        Assert.All(hanging, place => Assert.True(place.GaveUp && place.CancellationToken.IsCancellationRequested));
        Assert.False(young.GaveUp || young.CancellationToken.IsCancellationRequested);
        Assert.Equal([1, 2], hanging.Select(place => place.Leave()));
    }

    [Fact]
    public void A_call_that_ended_by_itself_is_not_given_up()
    {
        var room = new CallRoom(1, _time);
        room.Claimed(1, 1);
        var ended = room.Enter(default);
        ended.Leave();
        _time.Advance(CallRoom.Patience);

        room.GiveUpHanging();

        Assert.False(ended.GaveUp);
        Assert.Equal(1, room.Free);
    }

    [Fact]
    public void There_is_no_place_beyond_the_size()
    {
        var room = new CallRoom(1, _time);
        room.Enter(default);

        Assert.Throws<InvalidOperationException>(() => room.Enter(default));
    }

    [Fact]
    public async Task The_end_of_the_service_ends_its_calls_and_waits_for_them()
    {
        using var stopping = new CancellationTokenSource();
        var room = new CallRoom(2, _time);
        var place = room.Enter(stopping.Token);
        await stopping.CancelAsync();
        Assert.True(place.CancellationToken.IsCancellationRequested && !place.GaveUp);

        var closed = room.Closed();
        Assert.False(closed.IsCompleted);
        place.Leave();

        await closed;
    }
}
