using Shop.Contracts;
using Shop.Messaging;
using Shop.Messaging.Workers;
using Shop.Payments;
using Shop.Payments.CallingProvider;
using Shop.Payments.LookingUpPayments;
using Shop.Payments.ReconcilingPayments;
using Shop.Payments.RequestingPayments;
using Shop.Payments.ReviewingPayments;
using Shop.Payments.ScreeningPayments;
using Shop.Payments.TryingRules;
using Shop.ServiceDefaults;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddMessaging<PaymentsDb>("payments", messaging => messaging
    .ShipsLogs()
    .Produces(Topics.Payments, Topics.Alarms)
    .Endpoint("payments", endpoint => endpoint.Consumes(Topics.Orders).Prefetch<PaymentPrefetch>().Consumer<OrderConsumer>()));
builder.Services.AddOptions<ReviewOptions>().BindConfiguration("Reviews").ValidateDataAnnotations().ValidateOnStart();
builder.AddScreeningPayments();
builder.AddCallingProvider();
builder.Services.AddSingleton<StoredPayments>().AddWorker<RuleReplayer>("rule replays");
builder.Services.AddSingleton<Reconciliation>();
builder.Services.AddPeriodicWorker<ReconciliationWorker>("reconciliation");
builder.Services.AddPeriodicWorker<HistoryCleanup>("screening history cleanup").AddPeriodicWorker<TrialCleanup>("rule trial cleanup");

var app = builder.Build();
app.MapServiceDefaults();
app.MapScreeningPayments();
app.MapTryingRules();
app.MapReplayingPayments();
app.MapReviewingPayments();
app.MapReconcilingPayments();
app.MapLookingUpPayments();
app.MapMessaging("payments");
app.Run();
